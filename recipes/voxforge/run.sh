#!/usr/bin/env bash
# VoxForge, of one seed or several: SESSIONS=FOLDER run.sh, SESSIONS=FOLDER run.sh 1 2 3; see
# ../run.sh. FOLDER has the archives of the sessions, without spaces in its name; without
# SESSIONS they are downloaded.
where="corpus.download=true"
[ -z "${SESSIONS:-}" ] || where="corpus.archive=$SESSIONS"
exec bash "$(dirname "$0")/../run.sh" voxforge/bigru "corpus=voxforge $where" "$@"
