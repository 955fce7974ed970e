#!/usr/bin/env bash
# What language models of the books bring to the seeds that run.sh has trained, first the
# n-grams, then a GRU behind them: language_models.sh [SEED...]
# How much they count is tuned on dev with the first seed; test is only scored. The books
# are those of books.sh, in BOOKS_FOLDER if it is set, data/books otherwise.
# Run again after an interruption, it goes on where it was stopped.
set -euo pipefail

here="$(dirname "${BASH_SOURCE[0]}")"
source "$here/../seeds.sh"
source "$here/../train.sh"
ngrams=lm/books-3.ngrams
gru=runs/mini_librispeech/lm

[ -e "$ngrams" ] || bash "$here/books.sh" "${BOOKS_FOLDER:-data/books}"
train "$gru" recipe=mini_librispeech/lm

runs=()
for seed in "${seeds[@]}"; do
    runs+=("runs/mini_librispeech/bigru/seed$seed")
done
search=(decoder.lm="$ngrams" decoder.beam_size=300)
# The weights are kept beside the language models, where evaluate finds them.
speechgru tune "${runs[0]}" "${search[@]}"
speechgru tune "${runs[0]}" "${search[@]}" rescore="$gru"
for run in "${runs[@]}"; do
    speechgru evaluate "$run" split=test decoder=prefix_beam "${search[@]}"
    speechgru evaluate "$run" split=test decoder=prefix_beam "${search[@]}" rescore="$gru"
done
speechgru row "${runs[@]}"
