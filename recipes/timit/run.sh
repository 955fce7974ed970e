#!/usr/bin/env bash
# TIMIT, of one seed or several: TIMIT=FOLDER run.sh, TIMIT=FOLDER run.sh 1 2 3; see
# ../run.sh. FOLDER has TRAIN and TEST in it, and no spaces in its name.
: "${TIMIT:?is not set, expected the folder that has TRAIN and TEST in it}"
exec bash "$(dirname "$0")/../run.sh" timit/bigru \
    "corpus=timit corpus.folder=$TIMIT corpus.transcript=${TRANSCRIPT:-phones39}" "$@"
