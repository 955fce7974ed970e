#!/usr/bin/env bash
# The unidirectional model of CMU AN4, which can stream; see ../run.sh
exec bash "$(dirname "$0")/../run.sh" an4/unigru corpus=an4 "$@"
