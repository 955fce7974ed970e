#!/usr/bin/env bash
# VCTK, of one seed or several: run.sh, run.sh 1 2 3; see ../run.sh
exec bash "$(dirname "$0")/../run.sh" vctk/bigru corpus=vctk "$@"
