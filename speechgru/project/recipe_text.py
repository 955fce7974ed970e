"""The recipe of a project, with comments."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from speechgru.advice.advice import Advice, Choice
from speechgru.advice.in_words import write_value

LISTED = ", "
"""Between values of a list, in YAML."""

COMMENTS = {
    "features.sample_rate": "Hz",
    "features.n_fft": "samples of a window",
    "features.hop_length": "samples between frames",
    "features.n_mels": "bands",
    "features.vocal_tract": "frequencies are scaled by up to so much",
    "text.vocabulary_size": "tokens",
    "augment.speed.factors": "drawn for each utterance in each epoch",
    "augment.noise.low": "dB, loudest noise",
    "augment.noise.high": "dB, softest noise",
    "spec_augment.max_freq_width": "bands",
    "spec_augment.max_time_width": "frames",
    "spec_augment.max_time_fraction": "of the utterance",
    "spec_augment.frames_per_time_mask": "a mask for each so many frames",
    "spec_augment.max_time_warp": "frames",
    "subsampling.factor": "frames that become one",
    "subsampling.depth": "convolutions for each prime factor",
    "encoder.hidden_size": "units per direction; costs grow with the square",
    "encoder.num_layers": "each costs as much as another",
    "encoder.dropout": "more for less data",
    "encoder.piece_range": "frames, of pieces that do not hear each other",
    "task.optimizer": "adamw | muon",
    "task.learning_rate": "peak",
    "task.warmup": "share of all steps until the peak",
    "task.consistency": "two views that shall agree; 0 halves the time of an epoch",
    "data.batch_seconds": "s of padded audio in a step, all views",
    "data.wordless": "of silence and noise alone, for each utterance",
    "data.resample": "recordings of other rates are converted",
    "data.num_buckets": "of like durations",
    "trainer.max_epochs": "the schedule ends with the last: fewer are a shorter run",
    "trainer.precision": "this processor has bfloat16; else 32-true",
}

GROUPS = (
    *("text", "augment", "features", "spec_augment", "subsampling", "encoder"),
    *("task", "data", "trainer"),
)


def write_recipe(advice: Advice, corpus: str) -> str:
    """The YAML of a recipe.

    Args:
        advice: of the corpus.
        corpus: its name.
    """
    facts, base = advice.facts, advice.base
    head = (
        f"For {facts.hours:.2f} h, {facts.speakers} speakers, "
        f"{facts.vocabulary:,} different words. It is the recipe of {base.corpus} "
        f"({base.hours:.2f} h, {base.wer:.2f} % WER on {base.scored_on}), with the "
        "changes that are said below. speechgru train recipe=NAME KEY=VALUE changes an "
        "option for one run."
    )
    lines = ["# @package _global_", *_comment(head), "defaults:"]
    lines.append(f"  - override /corpus: {corpus}")
    for override in advice.body["defaults"]:
        for key, choice in override.items():
            lines.append(f"  - {key}: {write_value(choice, LISTED)}")
    lines.append("seed: 1")
    reasons: dict[str, list[Choice]] = {}
    for choice in advice.choices:
        reasons.setdefault(choice.option.partition(".")[0], []).append(choice)
    for group in GROUPS:
        lines += [
            line
            for choice in reasons.get(group, [])
            for line in _comment(f"{choice.option}: {choice.why}.")
        ]
        if advice.body.get(group):
            lines += [f"{group}:", *_options(advice.body[group], f"{group}.")]
    lines += _comment("Not known: " + "; ".join(advice.unknown) + ".")
    return "\n".join(lines) + "\n"


def _options(values: Mapping[str, Any], prefix: str) -> Iterator[str]:
    indent = "  " * prefix.count(".")
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield f"{indent}{key}:"
            yield from _options(value, f"{name}.")
            continue
        line = f"{indent}{key}: {write_value(value, LISTED)}"
        comment = COMMENTS.get(name)
        yield line if comment is None else f"{line:<32}  # {comment}"


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, 98, break_on_hyphens=False)]
