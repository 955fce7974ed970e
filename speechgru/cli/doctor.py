"""`speechgru doctor`: what is wrong with a corpus, before training finds out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch

from speechgru.cli.config import (
    AUGMENT_ROOMS,
    build_corpus,
    build_optional,
    read_command_line,
)
from speechgru.data.doctor import examine
from speechgru.interfaces import InputError, Tokenizer
from speechgru.model.build import build, find_class

USAGE = """
usage: speechgru doctor corpus=NAME [KEY=VALUE ...]

Examine every utterance of a prepared corpus: files, rates, durations,
transcripts, tokens, and whether CTC can align them. Exits with 1 if any
problem is found.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    config = read_command_line("doctor", arguments, USAGE, (0, 0)).config
    corpus = build_corpus(config)
    splits = {split: corpus.read(split) for split in corpus.splits}
    trust = config["trust"]
    features = build(config["features"], "features", trust)
    subsampling = build(
        config["subsampling"], "subsampling", trust, input_size=features.output_size
    )
    augment = build_optional(config, "augment", AUGMENT_ROOMS, trust)
    texts = (utterance.text for utterance in splits.get("train", []))
    diagnosis = examine(
        splits,
        build_tokenizer(config["text"], texts, trust),
        features.sample_rate,
        config["resample"],
        on_integers(
            lambda lengths: subsampling.output_lengths(features.output_lengths(lengths))
        ),
        augment and augment.shortest,
    )
    print(diagnosis.report())
    return 1 if diagnosis.problems else 0


def build_tokenizer(
    config: Mapping[str, Any], texts: Iterable[str], trust: Sequence[str]
) -> Tokenizer:
    """Build the tokenizer, of the given alphabet or that of the texts.

    A text that is empty or cannot be normalised is left to the doctor, who
    names its utterance.
    """
    if config["alphabet"] is not None:
        return build(config, "text", trust)
    tokenizer_class = find_class(config["_target_"], "text", trust)
    options = {k: v for k, v in config.items() if k not in ("_target_", "alphabet")}
    usable = []
    for text in texts:
        try:
            tokenizer_class.from_texts([text], **options)
            usable.append(text)
        except InputError:
            continue
    return tokenizer_class.from_texts(usable, **options)


def on_integers(
    output_lengths: Callable[[torch.Tensor], torch.Tensor],
) -> Callable[[int], int]:
    """Let a function of length tensors take and give one integer."""
    return lambda length: int(output_lengths(torch.tensor([length]))[0])
