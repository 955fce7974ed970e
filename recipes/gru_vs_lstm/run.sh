#!/usr/bin/env bash
# Train, score and measure every encoder, then make the table and the plots.
# Run again after an interruption, it goes on where it was stopped. Options go to
# experiment.py: run.sh --jobs 2, run.sh --only an4
set -euo pipefail

here="$(dirname "${BASH_SOURCE[0]}")"

speechgru prepare corpus=fsdd corpus.partition=official
speechgru prepare corpus=fsdd corpus.partition=unseen
speechgru prepare corpus=an4
python "$here/experiment.py" "$@"
python "$here/report.py"
