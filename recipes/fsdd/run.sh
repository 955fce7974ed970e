#!/usr/bin/env bash
# Connected digits, of one seed or several: run.sh, run.sh 1 2 3; see ../run.sh. First on
# voices that training has heard, then on two others.
set -euo pipefail

for partition in official unseen; do
    RUNS_FOLDER="runs/fsdd/bigru-$partition" bash "$(dirname "$0")/../run.sh" fsdd/bigru \
        "corpus=fsdd corpus.partition=$partition corpus.sample_rate=8000" "$@"
done
