#!/usr/bin/env bash
# One language of Common Voice, of one seed or several:
# CORPUS_LANGUAGE=cy RELEASE=FOLDER run.sh 1 2 3; see ../run.sh. RELEASE is an unpacked
# release or the archive of the language, without spaces in its name; SPLITS is official
# (the default), validated or speakers.
: "${CORPUS_LANGUAGE:?is not set, expected one of Common Voice, e.g. cy}"
: "${RELEASE:?is not set, expected the folder of a release, or an archive}"
splits="${SPLITS:-official}"
export RUNS_FOLDER="${RUNS_FOLDER:-runs/common_voice/$CORPUS_LANGUAGE-$splits}"
exec bash "$(dirname "$0")/../run.sh" common_voice/bigru \
    "corpus=common_voice corpus.language=$CORPUS_LANGUAGE corpus.release=$RELEASE corpus.splits=$splits" "$@"
