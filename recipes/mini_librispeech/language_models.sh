#!/usr/bin/env bash
# What language models of the books bring to the seeds that run.sh has trained, first the
# n-grams, then a GRU behind them: language_models.sh [SEED...]
# RECIPE is as for run.sh.
# How much they count is tuned on dev with the first seed; test is only scored. The books
# are those of books.sh, in BOOKS_FOLDER if it is set, data/books otherwise.
# Run again after an interruption, it goes on where it was stopped.
set -euo pipefail

here="$(dirname "${BASH_SOURCE[0]}")"
source "$here/../seeds.sh"
source "$here/../train.sh"
if [ ${#options[@]} -gt 0 ]; then
    echo "language_models.sh: ${options[0]}: expected seeds alone; give options of training to run.sh" >&2
    exit 2
fi
ngrams=lm/books-4.ngrams
gru=runs/mini_librispeech/lm

[ -e "$ngrams" ] || bash "$here/books.sh" "${BOOKS_FOLDER:-data/books}"
train "$gru" recipe=mini_librispeech/lm

runs=()
for seed in "${seeds[@]}"; do
    runs+=("runs/mini_librispeech/${RECIPE:-bigru}/seed$seed")
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
