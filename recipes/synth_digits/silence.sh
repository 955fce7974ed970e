#!/usr/bin/env bash
# What makes a model stand silence and noise: one change a row, 5 to 7 CPU-minutes each, scored
# on seven voices of train and dev that are held out; see benchmarks/silence.py.
#   silence.sh              every row that is not done
#   silence.sh NAME...      these
# Run again after an interruption, it goes on where it was stopped.
set -euo pipefail

here="$(dirname "${BASH_SOURCE[0]}")"
source "$here/../train.sh"
wanted=("$@")
corpus="${SPEECHGRU_DATA:-data}/synth_digits"
fold=1/5

row() {
    local name="$1" run="runs/synth_digits/silence/$1"
    shift
    if [ ${#wanted[@]} -gt 0 ] && [[ ! " ${wanted[*]} " == *" $name "* ]]; then return; fi
    if [ ! -e "$run/silence.md" ]; then
        train "$run" recipe=synth_digits/bigru data.fold="$fold" logger.tensorboard=false "$@"
        python "$here/../../benchmarks/silence.py" "$run/best.ckpt" "$corpus/train.jsonl" \
            "$corpus/dev.jsonl" "$fold" > "$run/silence.tmp"
        mv "$run/silence.tmp" "$run/silence.md"
    fi
    echo "== $name: $*"
    grep -E 'utterances as they are|\| all \|' "$run/silence.md"
}

speechgru prepare corpus=synth_digits
tight=(augment=speed data.wordless=0)
row before normalize=utterance "${tight[@]}"
row active "${tight[@]}"
row global normalize=global "${tight[@]}"
row utterance-silence normalize=utterance
row global-silence normalize=global
row active-silence data.wordless=0
row recipe
