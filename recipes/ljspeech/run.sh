#!/usr/bin/env bash
# LJSpeech, of one seed or several: run.sh, run.sh 1 2 3; see ../run.sh
exec bash "$(dirname "$0")/../run.sh" ljspeech/bigru corpus=ljspeech "$@"
