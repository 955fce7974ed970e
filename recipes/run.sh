#!/usr/bin/env bash
# Prepares a corpus, trains a recipe with each seed, scores, and prints the rows of the
# recipe's table. The run.sh of each recipe calls it:
#   run.sh RECIPE "CORPUS OPTIONS" [SEED...] [-- OPTIONS OF TRAINING]
# The runs lie in $RUNS_FOLDER, runs/RECIPE if it is not set.
# Run again after an interruption, it goes on where it was stopped.
set -euo pipefail

here="$(dirname "${BASH_SOURCE[0]}")"
recipe="$1"
folder="${RUNS_FOLDER:-runs/$recipe}"
read -ra corpus <<< "$2"
shift 2
source "$here/seeds.sh"

runs=()
speechgru prepare "${corpus[@]}"
for seed in "${seeds[@]}"; do
    run="$folder/seed$seed"
    if [ -e "$run/last.ckpt" ]; then
        speechgru train resume="$run"
    else
        speechgru train recipe="$recipe" seed="$seed" hydra.run.dir="$run" \
            "${corpus[@]}" ${options[@]+"${options[@]}"}
    fi
    scored=("${corpus[@]}")
    # What was resampled to be trained on is resampled to be scored.
    if grep -q '^  resample: true$' "$run/config.yaml"; then
        scored+=(data.resample=true)
    fi
    # What was counted as the same in training is so in the scores.
    word_map="$(sed -n '/^word_map:/,/^[^ ]/s/^  name: //p' "$run/config.yaml")"
    if [ -n "$word_map" ]; then
        scored+=("word_map=$word_map")
    fi
    # With data.fold=all, dev was trained on.
    if ! grep -q '^  fold: all$' "$run/config.yaml"; then
        speechgru evaluate "$run/best.ckpt" "${scored[@]}" split=dev
    fi
    speechgru evaluate "$run/best.ckpt" "${scored[@]}" split=test
    speechgru report "$run"
    runs+=("$run")
done
speechgru row "${runs[@]}"
