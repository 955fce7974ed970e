#!/usr/bin/env bash
# CMU AN4, of one seed or several: run.sh, run.sh 1 2 3; see ../run.sh
exec bash "$(dirname "$0")/../run.sh" an4/bigru corpus=an4 "$@"
