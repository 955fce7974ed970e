#!/usr/bin/env bash
# One language of FLEURS, of one seed or several: CORPUS_LANGUAGE=cy_gb run.sh 1 2 3; see ../run.sh
language="${CORPUS_LANGUAGE:-en_us}"
export RUNS_FOLDER="${RUNS_FOLDER:-runs/fleurs/$language}"
exec bash "$(dirname "$0")/../run.sh" fleurs/bigru \
    "corpus=fleurs corpus.language=$language" "$@"
