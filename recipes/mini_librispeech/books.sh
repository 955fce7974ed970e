#!/usr/bin/env bash
# Text for language models: the public-domain books of books.tsv, without what train, dev and test say:
#   books.sh [FOLDER] [-- OPTIONS OF THE CORPUS]
# Books that lie in FOLDER as NUMBER.txt, from wherever they come, are not fetched; GUTENBERG=ADDRESS names a mirror.
set -euo pipefail

here="$(dirname "${BASH_SOURCE[0]}")"
folder=data/books
if [ $# -gt 0 ] && [ "$1" != -- ]; then
    folder="$1"
    shift
fi
if [ "${1-}" = -- ]; then shift; fi
address="${GUTENBERG:-https://www.gutenberg.org}"

mkdir -p "$folder"
books=()
while IFS=$'\t' read -r number _; do
    book="$folder/$number.txt"
    if [ ! -s "$book" ]; then
        curl --fail --silent --show-error --location --retry 5 --output "$book.part" \
            "$address/cache/epub/$number/pg$number.txt"
        mv "$book.part" "$book"
        sleep "${PAUSE:-2}" # s; the project asks programs to be slow
    fi
    books+=("$book")
done < "$here/books.tsv"

speechgru prepare corpus=mini_librispeech "$@"
speechgru books "${books[@]}" corpus=mini_librispeech "$@" output=lm/books.txt
speechgru lm lm/books.txt order=4 'prune=[0,0,1,1]' max_words=200000 output=lm/books-4.ngrams
