#!/usr/bin/env bash
# Measure the encoders on this machine and rewrite the tables of README.md.
# A quick look: run.sh --lengths 18 73 --batches 1 16 --output quick.md
set -euo pipefail

export OMP_NUM_THREADS=1
python "$(dirname "$0")/speed.py" "$@"
