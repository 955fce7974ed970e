#!/usr/bin/env bash
# Speech Commands, of one seed or several: run.sh, run.sh 1 2 3; see ../run.sh
exec bash "$(dirname "$0")/../run.sh" speech_commands/bigru corpus=speech_commands "$@"
