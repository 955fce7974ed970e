#!/usr/bin/env bash
# AISHELL-1, of one seed or several: run.sh, run.sh 1 2 3; see ../run.sh
exec bash "$(dirname "$0")/../run.sh" aishell1/bigru corpus=aishell1 "$@"
