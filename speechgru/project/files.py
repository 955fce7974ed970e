"""The files of a project, but for its manifests."""

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from speechgru import __version__
from speechgru.advice.advice import Advice
from speechgru.options.choices import PROJECT_FILE
from speechgru.project.recipe_text import write_recipe

EXAMINED = ("text", "features", "subsampling")
"""Groups of a recipe that the doctor asks for."""


def make_files(name: str, advice: Advice, origin: Mapping[str, Any]) -> dict[str, str]:
    """Texts by their paths in the project.

    Args:
        name: of the corpus and of the recipe.
        advice: of the corpus.
        origin: of what it was made, for the project's own file.
    """
    return {
        PROJECT_FILE: _write_project(origin),
        f"conf/corpus/{name}.yaml": _write_corpus(name),
        f"conf/recipe/{name}.yaml": write_recipe(advice, name),
        "run.sh": _write_script(name, advice),
        ".gitignore": "# What is made again, or is large.\nruns/\nlm/\n",
        "README.md": _write_readme(name, advice, origin),
    }


def _write_project(origin: Mapping[str, Any]) -> str:
    # Every JSON is YAML, whatever stands in a path.
    lines = [f"{key}: {json.dumps(value)}" for key, value in origin.items()]
    return "\n".join(
        [
            "# Commands called in this folder find the choices of conf/ beside those",
            "# of speechgru. How it was made:",
            f"speechgru: {__version__}",
            *lines,
            "",
        ]
    )


def _write_corpus(name: str) -> str:
    return f"""\
# corpus={name}: manifests, a line of JSON for each utterance; paths count from here.
_target_: speechgru.data.sources.jsonl.ManifestCorpus
name: {name}
train: data/train.jsonl
dev: data/dev.jsonl
test: data/test.jsonl
"""


def _write_script(name: str, advice: Advice) -> str:
    examined = " \\\n        ".join(type_examined(advice))
    return f"""\
#!/usr/bin/env bash
# Examines the recordings, trains, scores, and makes a page of the results.
#   bash run.sh                         all of it; again after an interruption: goes on
#   bash run.sh trainer.max_time=2h     for so long; again: goes on; with more: longer
#   RUN=runs/{name}/second bash run.sh encoder.dropout=0.2   another run
set -euo pipefail
cd "$(dirname "${{BASH_SOURCE[0]}}")"
run="${{RUN:-runs/{name}/first}}"

if [ -e "$run/last.ckpt" ]; then
    speechgru train resume="$run" "$@"
else
    speechgru doctor corpus={name} data.resample=true \\
        {examined}
    speechgru train recipe={name} data.check=false hydra.run.dir="$run" "$@"
fi
speechgru evaluate "$run" split=dev
speechgru evaluate "$run" split=test
speechgru report "$run"
echo "to transcribe: speechgru transcribe $run RECORDINGS"
echo "README.md: a language model, for who says the same words"
"""


def type_examined(advice: Advice) -> Iterator[str]:
    """The options of the recipe that the doctor takes, as they are typed, by group."""
    for group in EXAMINED:
        words = [
            f"{group}={override[key]}"
            for override in advice.body["defaults"]
            for key in override
            if key == f"override /{group}"
        ]
        values = advice.body.get(group, {})
        words += [shlex.quote(f"{group}.{key}={values[key]}") for key in values]
        if words:
            yield " ".join(words)


def _write_readme(name: str, advice: Advice, origin: Mapping[str, Any]) -> str:
    facts = advice.facts
    divided = "\n".join(f"- {note}" for note in origin["notes"])
    return f"""\
# {name}

{facts.hours:.2f} h of speech to train on, {facts.speakers} speakers,
{facts.vocabulary:,} different words.

    bash run.sh

examines the recordings, trains, scores dev and test, and writes a page with results and
sound, `runs/{name}/first/report.html`. Stopped or killed, and called again, it goes on
from its last checkpoint, of the end of an epoch or at most five minutes old.

All commands are called in this folder:

    # what is recommended, and what it costs here
    speechgru advise corpus={name}
    # how a run goes on
    speechgru watch runs/{name}/first
    # another run, and all that were tried
    RUN=runs/{name}/second bash run.sh encoder.dropout=0.2
    speechgru runs
    # more time for a run
    speechgru train resume=runs/{name}/first trainer.max_time=4h
    # use it
    speechgru transcribe runs/{name}/first RECORDINGS

Where others will say the words of the transcripts, in like order, a language model of
them takes away most errors; where they say other words, it does harm. It is learnt from
what was trained on, and how much it counts from dev:

    speechgru lm runs/{name}/first
    speechgru tune runs/{name}/first
    LM="decoder=prefix_beam decoder.lm=runs/{name}/first/lm-3-words.arpa"
    speechgru evaluate runs/{name}/first split=test $LM
    speechgru transcribe runs/{name}/first RECORDINGS $LM

| file | what it is |
|---|---|
| `data/*.jsonl` | the recordings, by split; they stay where they are |
| `conf/corpus/{name}.yaml` | the corpus |
| `conf/recipe/{name}.yaml` | the recipe, with reasons |
| `{PROJECT_FILE}` | lets commands find `conf/`; how the project was made |

How the recordings were divided:

{divided}
"""
