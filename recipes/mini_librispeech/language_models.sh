#!/usr/bin/env bash
# What language models bring to the seeds that run.sh has trained: a 3-gram of the training
# transcripts alone, and the 4-gram of books; with GRU=yes also a GRU of the books behind
# that: language_models.sh [SEED...]
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

runs=()
for seed in "${seeds[@]}"; do
    runs+=("runs/mini_librispeech/${RECIPE:-bigru}/seed$seed")
done

# The weights are kept beside the language models, where evaluate finds them.
score() {
    speechgru tune "${runs[0]}" "$@"
    for run in "${runs[@]}"; do
        speechgru evaluate "$run" split=test decoder=prefix_beam "$@"
    done
}

transcripts="${runs[0]}/lm-3-words.arpa"
[ -e "$transcripts" ] || speechgru lm "${runs[0]}"
score decoder.lm="$transcripts" decoder.beam_size=300

books=lm/books-4.ngrams
[ -e "$books" ] || bash "$here/books.sh" "${BOOKS_FOLDER:-data/books}"
score decoder.lm="$books" decoder.beam_size=300

if [ "${GRU:-}" = yes ]; then
    gru=runs/mini_librispeech/lm
    train "$gru" recipe=mini_librispeech/lm
    score decoder.lm="$books" decoder.beam_size=300 rescore="$gru"
fi
speechgru row "${runs[@]}"
