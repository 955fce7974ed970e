#!/usr/bin/env bash
# Connected digits in synthetic voices: make, check, train, score on voices
# that were never heard, transcribe. Needs the extra `synth`, no corpus.
set -euo pipefail

run="runs/synth_digits/bigru/$(date +%Y-%m-%d_%H-%M-%S)_s1"
audio="${SPEECHGRU_DATA:-data}/synth_digits/wav/test"

speechgru prepare corpus=synth_digits
speechgru train recipe=synth_digits/bigru hydra.run.dir="$run"
echo
echo "On voices that were never heard in training:"
speechgru evaluate "$run" | tee "$run/test.txt"
files=("$audio"/*.wav)
first="${files[0]}"
echo
echo "One file, $first:"
speechgru transcribe "$run" "$first"
echo
speechgru report "$run"
echo "checkpoint   $run/best.ckpt"
echo "log          $run/train.log"
echo "transcripts  $run/best-synth_digits-test.jsonl"
echo "Try it on your own voice: speechgru transcribe $run FILE.wav"
