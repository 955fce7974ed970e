#!/usr/bin/env bash
# Mini LibriSpeech, of one seed or several: run.sh, run.sh 1 2 3; see ../run.sh
# RECIPE=phones run.sh trains on phones; score them by language_models.sh.
recipe="mini_librispeech/${RECIPE:-bigru}"
exec bash "$(dirname "$0")/../run.sh" "$recipe" corpus=mini_librispeech "$@"
