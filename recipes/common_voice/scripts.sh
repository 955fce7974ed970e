#!/usr/bin/env bash
# Does the line hold in other scripts? RELEASE=FOLDER scripts.sh [LANGUAGE...]: of each
# language, eight utterances are learnt by heart and read back: prepare, train, search
# with a language model of their words, transcribe, report. It ends with an error unless
# every one of the eight is read as it is written. It says nothing about recognition.
# RELEASE holds folders of languages, each with a validated.tsv and its clips.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/../train.sh"
: "${RELEASE:?is not set, expected the folder of a release of Common Voice}"
[ $# -gt 0 ] || set -- ar dv ta ru zh-CN
wrong=()
for language in "$@"; do
    corpus=(corpus=common_voice corpus.language="$language" corpus.release="$RELEASE" corpus.splits=speakers)
    run="${RUNS_FOLDER:-runs/common_voice/scripts}/$language"
    splits="${SPEECHGRU_DATA:-data}/common_voice/$language/speakers"
    speechgru prepare "${corpus[@]}"
    # Paths in a manifest are relative to it, so this one lies beside its source.
    head -n 8 "$splits/train.jsonl" > "$splits/eight.jsonl"
    eight=(corpus=manifest corpus.train="$splits/eight.jsonl" corpus.dev="$splits/eight.jsonl")
    train "$run" recipe=common_voice/bigru "${eight[@]}" debug=overfit data.max_train=8 data.max_dev=8 \
        data.on_error=raise encoder.hidden_size=128 encoder.num_layers=2 trainer.max_epochs=160
    speechgru lm "$run" order=2 output="$run/eight.arpa"
    for search in decoder=greedy "decoder=prefix_beam decoder.lm=$run/eight.arpa"; do
        read -ra search <<< "$search"
        speechgru evaluate "$run" split=train "${search[@]}" | tee "$run/score.txt"
        grep -q '^WER 0\.00 ' "$run/score.txt" || wrong+=("$language, ${search[0]}")
    done
    speechgru transcribe "$run/best.ckpt" "$splits/eight.jsonl" format=jsonl output="$run/heard.jsonl"
    speechgru report "$run"
done
if [ ${#wrong[@]} -gt 0 ]; then
    printf 'scripts.sh: eight utterances are not read as they are written: %s\n' "${wrong[@]}" >&2
    exit 1
fi
echo "read as they are written, eight utterances each: $*"
