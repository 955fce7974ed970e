#!/usr/bin/env bash
# What language models of the training transcripts bring to the seeds that run.sh has trained:
#   language_models.sh [SEED...] [-- OPTIONS OF THE ACOUSTIC MODEL'S TRAINING]
# How much they count is tuned on a fold of the training speakers, with an acoustic model
# and language models that do not know it; test is only scored.
# Run again after an interruption, it goes on where it was stopped.
set -euo pipefail

here="$(dirname "${BASH_SOURCE[0]}")"
source "$here/../seeds.sh"
source "$here/../train.sh"
fold="${FOLD:-1/4}"
name="fold${fold%/*}"

# A number from the file that `speechgru tune` leaves beside a language model.
tuned() {
    sed -n "s/^  \"$2\": \([^,]*\),*$/\1/p" "$1.weights.json"
}

speechgru prepare corpus=an4
acoustic="runs/an4/bigru/$name"
train "$acoustic" recipe=an4/bigru data.fold="$fold" ${options[@]+"${options[@]}"}
for part in "$fold" all; do
    train "runs/an4/lm/fold${part%/*}" recipe=an4/lm data.fold="$part"
    speechgru lm corpus=an4 fold="$part" checkpoint="$acoustic/best.ckpt" \
        output="lm/an4-fold${part%/*}.arpa"
done
tune=("$acoustic/best.ckpt" corpus=an4 fold="$fold" decoder.lm="lm/an4-$name.arpa")
speechgru tune "${tune[@]}"
speechgru tune "${tune[@]}" rescore="runs/an4/lm/$name/best.ckpt"

search=(decoder=prefix_beam decoder.lm=lm/an4-foldall.arpa)
for option in lm_weight word_score; do
    search+=(decoder."$option=$(tuned "lm/an4-$name.prefix_beam" "$option")")
done
rescore=(rescore=runs/an4/lm/foldall/best.ckpt
    rescore_weight="$(tuned "runs/an4/lm/$name/best.rescore" rescore_weight)")
runs=()
for seed in "${seeds[@]}"; do
    run="runs/an4/bigru/seed$seed"
    speechgru evaluate "$run/best.ckpt" corpus=an4 "${search[@]}"
    speechgru evaluate "$run/best.ckpt" corpus=an4 "${search[@]}" "${rescore[@]}"
    runs+=("$run")
done
speechgru row "${runs[@]}"
