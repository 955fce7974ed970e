#!/usr/bin/env bash
# Mini LibriSpeech, of one seed or several: run.sh, run.sh 1 2 3; see ../run.sh
exec bash "$(dirname "$0")/../run.sh" mini_librispeech/bigru corpus=mini_librispeech "$@"
