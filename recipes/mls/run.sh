#!/usr/bin/env bash
# One language of Multilingual LibriSpeech, of one seed or several: run.sh, run.sh 1 2 3,
# CORPUS_LANGUAGE=german CODEC=flac run.sh; see ../run.sh
language="${CORPUS_LANGUAGE:-polish}"
export RUNS_FOLDER="${RUNS_FOLDER:-runs/mls/$language}"
exec bash "$(dirname "$0")/../run.sh" mls/bigru \
    "corpus=mls corpus.language=$language corpus.codec=${CODEC:-opus}" "$@"
