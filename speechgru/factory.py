"""From options to the objects that they describe."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import nn

from speechgru.checkpoint.build import build, find_class
from speechgru.checkpoint.identity import digest_weights
from speechgru.checkpoint.load import load_language_model
from speechgru.data.augment.chain import Chain
from speechgru.data.source import Source
from speechgru.decode.beam import BeamDecoder
from speechgru.decode.n_best import Rescoring
from speechgru.interfaces import Decoder, InputError, Tokenizer
from speechgru.lm.weights import RESCORE, RESCORE_WEIGHTS, read_weights
from speechgru.model.language_model import TextScorer
from speechgru.options.component import Component
from speechgru.ranges import OptionError

CORPUS_ROOMS = ("speechgru.data.corpora", "speechgru.data.sources")
AUGMENT_ROOMS = ("speechgru.data.augment",)
DECODER_ROOMS = ("speechgru.decode",)
TASK_ROOMS = ("speechgru.training",)


def build_corpus(corpus: Component, trust: Sequence[str] = ()) -> Source:
    """Build a corpus or source."""
    return build(corpus.to_plain(), "corpus", trust, CORPUS_ROOMS)


def name_corpus(corpus: Component) -> str:
    """What a checkpoint calls a corpus."""
    return corpus.options.get("name", corpus.target)


def build_decoder(config: Mapping[str, Any], model: nn.Module | None = None) -> Decoder:
    """Build the decoder that a configuration names, with its rescoring.

    Args:
        config: of the command.
        model: the acoustic model, whose tuned weights are taken.
    """
    decoder = build(config["decoder"], "decoder", config["trust"], DECODER_ROOMS)
    digest = None
    if model is not None and isinstance(decoder, BeamDecoder):
        digest = digest_weights(model)
        decoder.hear_through(digest)
    if config.get("rescore") is None:
        return decoder
    if not isinstance(decoder, BeamDecoder):
        raise InputError(
            f"rescore is {config['rescore']!r}, but the decoder finds one text only; "
            "choose decoder=prefix_beam or beam"
        )
    weight = config["rescore_weight"]
    if weight is None:
        tuned = read_weights(config["rescore"], RESCORE, RESCORE_WEIGHTS, digest)
        weight = tuned["rescore_weight"]
    decoder.rescoring = Rescoring(
        load_text_scorer(config), weight, config["rescore_texts"]
    )
    return decoder


def load_text_scorer(config: Mapping[str, Any]) -> TextScorer:
    """Load the language model that the option rescore names."""
    loaded = load_language_model(config["rescore"], config["trust"])
    return TextScorer(loaded.model, loaded.tokenizer)


def build_augment(
    parts: Mapping[str, Component],
    trust: Sequence[str],
    sample_rate: int,
    seed: int = 0,
) -> Chain:
    """Build the waveform augmentation of training, which may be none."""
    return Chain(
        {
            name: build(
                part.to_plain(),
                f"augment.{name}",
                trust,
                AUGMENT_ROOMS,
                sample_rate=sample_rate,
            )
            for name, part in parts.items()
        },
        seed,
    )


def build_tokenizer(
    text: Component, texts: Iterable[str], trust: Sequence[str] = ()
) -> Tokenizer:
    """Build the tokenizer, from the texts where its class can use them.

    A text that is empty or cannot be normalised is left to the doctor, who
    names its utterance.
    """
    tokenizer_class = find_class(text.target, "text", trust)
    if not hasattr(tokenizer_class, "from_texts"):
        return build(text.to_plain(), "text", trust)
    options = text.options
    texts, usable = list(texts), []
    try:
        with contextlib.suppress(InputError):
            return tokenizer_class.from_texts(texts, **options)
        for each in texts:  # which of them it was
            with contextlib.suppress(InputError):
                tokenizer_class.from_texts([each], **options)
                usable.append(each)
        return tokenizer_class.from_texts(usable, **options)
    except OptionError as error:
        raise InputError(f"text.{error}") from error
    except TypeError as error:  # an unknown option
        raise InputError(f"text: {error}") from error
