#!/usr/bin/env bash
# What helps with new voices: one change a row. Trains on three of the four training speakers
# of the partition unseen, and scores the last epoch on the fourth, by turns; the two speakers
# of test are not touched.
#   voices.sh              every row that is not done
#   voices.sh NAME...      these
# Run again after an interruption, it goes on where it was stopped.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/../train.sh"
wanted=("$@")
corpus=(corpus=fsdd corpus.partition=unseen corpus.sample_rate=8000)

row() {
    local name="$1" epochs="$2" fold run
    shift 2
    if [ ${#wanted[@]} -gt 0 ] && [[ ! " ${wanted[*]} " == *" $name "* ]]; then return; fi
    for fold in 1 2 3 4; do
        run="runs/fsdd/voices/$name/fold$fold"
        if [ -e "$run/results.jsonl" ]; then continue; fi
        train "$run" recipe=fsdd/bigru "${corpus[@]}" data.fold="$fold/4" \
            trainer.max_epochs="$epochs" callbacks.keep_every="$epochs" \
            logger.tensorboard=false "$@"
        speechgru evaluate "$run/$(printf 'epoch-%04d.ckpt' "$epochs")" "${corpus[@]}" \
            fold="$fold/4" output="$run/results.jsonl" > "$run/score.txt"
    done
    echo "== $name: $*"
    sed -n 's/^WER/  WER/p' "runs/fsdd/voices/$name"/fold?/score.txt
    # All words of the four together.
    awk '/^WER/ { edits += $6; words += $9 }
        END { printf "  %d edits in %d words, %.2f %%\n", edits, words, 100 * edits / words }' \
        "runs/fsdd/voices/$name"/fold?/score.txt
}

speechgru prepare "${corpus[@]}"
row base 10 text=characters
wide=('augment.speed.factors=[0.7,0.8,0.9,1.0,1.1,1.2,1.3,1.4]' spec_augment.max_freq_warp=4)
row wide 10 text=characters "${wide[@]}"
row wide-ligru 10 text=characters "${wide[@]}" encoder=ligru
row words 10
row clean 10 'augment=[speed]'
row silence 10 normalize=active 'augment=[speed,noise,silence]' data.wordless=0.03
