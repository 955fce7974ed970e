#!/usr/bin/env bash
# TED-LIUM 3, of one seed or several: run.sh, run.sh 1 2 3; see ../run.sh
exec bash "$(dirname "$0")/../run.sh" tedlium/bigru \
    "corpus=tedlium corpus.padding=[0.15,0.1]" "$@"
