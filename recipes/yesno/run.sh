#!/usr/bin/env bash
# yesno: prepare, check, train, score. A seed may be given: run.sh 2
# Run again after an interruption, it goes on where it was stopped.
set -euo pipefail

seed="${1:-1}"
run="runs/yesno/bigru/seed$seed"

speechgru prepare corpus=yesno
if [ -e "$run/last.ckpt" ]; then
    speechgru train resume="$run"
else
    speechgru train recipe=yesno/bigru seed="$seed" hydra.run.dir="$run"
fi
speechgru evaluate "$run/best.ckpt" corpus=yesno split=dev
speechgru evaluate "$run/best.ckpt" corpus=yesno split=test
speechgru report "$run"
speechgru info "$run/best.ckpt"
