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
source "$here/train.sh"

runs=()
speechgru prepare "${corpus[@]}"
for seed in "${seeds[@]}"; do
    run="$folder/seed$seed"
    train "$run" recipe="$recipe" seed="$seed" "${corpus[@]}" ${options[@]+"${options[@]}"}
    # With data.fold=all, dev was trained on.
    if ! grep -q '^  fold: all$' "$run/config.yaml"; then
        speechgru evaluate "$run" split=dev
    fi
    speechgru evaluate "$run" split=test
    speechgru report "$run"
    runs+=("$run")
done
speechgru row "${runs[@]}"
