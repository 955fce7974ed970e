#!/usr/bin/env bash
# Train, score and measure every encoder, then make the table and the plots.
# Run again after an interruption, it goes on where it was stopped. Options go to
# experiment.py: run.sh --jobs 2, run.sh --only an4
set -euo pipefail

code="$(dirname "${BASH_SOURCE[0]}")/../../benchmarks/gru_vs_lstm"

speechgru prepare corpus=fsdd corpus.partition=official
speechgru prepare corpus=fsdd corpus.partition=unseen
speechgru prepare corpus=an4
python "$code/experiment.py" "$@"
python "$code/report.py"
