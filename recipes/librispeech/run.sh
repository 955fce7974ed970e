#!/usr/bin/env bash
# LibriSpeech, of one seed or several: run.sh, HOURS=960 run.sh 1 2 3; see ../run.sh.
# HOURS of training: 100 (what is taken otherwise), 460 or 960.
set -euo pipefail

hours="${HOURS:-100}"
case "$hours" in
    100) recipe=bigru_100 parts=train-clean-100 ;;
    460) recipe=bigru_960 parts=train-clean-100,train-clean-360 ;;
    960) recipe=bigru_960 parts=train-clean-100,train-clean-360,train-other-500 ;;
    *)
        echo "HOURS is $hours, expected 100, 460 or 960" >&2
        exit 2
        ;;
esac
RUNS_FOLDER="${RUNS_FOLDER:-runs/librispeech/bigru_$hours}" \
    bash "$(dirname "$0")/../run.sh" "librispeech/$recipe" \
    "corpus=librispeech corpus.parts.train=[$parts] corpus.download=true" "$@"
