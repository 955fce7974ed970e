#!/usr/bin/env bash
# CMU AN4: prepare, check, train, score. A seed may be given: run.sh 2
# Run again after an interruption, it goes on where it was stopped.
set -euo pipefail

seed="${1:-1}"
run="runs/an4/bigru/seed$seed"

speechgru prepare corpus=an4
if [ -e "$run/last.ckpt" ]; then
    speechgru train resume="$run"
else
    speechgru train recipe=an4/bigru seed="$seed" hydra.run.dir="$run"
fi
speechgru evaluate "$run/best.ckpt" corpus=an4 split=dev
speechgru evaluate "$run/best.ckpt" corpus=an4 split=test
speechgru report "$run"
speechgru info "$run/best.ckpt"
