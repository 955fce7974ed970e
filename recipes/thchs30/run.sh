#!/usr/bin/env bash
# THCHS-30, of one seed or several: run.sh, run.sh 1 2 3; see ../run.sh
exec bash "$(dirname "$0")/../run.sh" thchs30/bigru corpus=thchs30 "$@"
