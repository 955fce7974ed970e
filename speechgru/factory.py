"""From options to the objects that they describe.

What only training or scoring needs is imported where it is built: transcribing a
short file should not wait for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from speechgru.checkpoint.build import build, find_class, takes
from speechgru.checkpoint.chosen import find_checkpoint
from speechgru.checkpoint.identity import digest_weights
from speechgru.checkpoint.load import LoadedCheckpoint, load_language_model
from speechgru.decode.n_best import Rescoring
from speechgru.interfaces import Decoder, InputError, Tokenizer, TunableDecoder
from speechgru.lm.weights import RESCORE, RESCORE_WEIGHTS, name_other, read_weights
from speechgru.model.acoustic import AcousticModel
from speechgru.model.language_model import TextScorer
from speechgru.options.component import Component
from speechgru.options.evaluation import DecodeOptions, TuneOptions
from speechgru.ranges import OptionError

if TYPE_CHECKING:
    from speechgru.data.augment.chain import Chain
    from speechgru.data.augment.on_device import DeviceChain
    from speechgru.data.source import Source
    from speechgru.score.word_map import WordMap
    from speechgru.text.word_counts import Texts

log = logging.getLogger(__name__)

CORPUS_ROOMS = ("speechgru.data.corpora", "speechgru.data.sources")
AUGMENT_ROOMS = ("speechgru.data.augment",)
DECODER_ROOMS = ("speechgru.decode",)
TASK_ROOMS = ("speechgru.training",)
SCORE_ROOMS = ("speechgru.score",)


def build_corpus(corpus: Component, trust: Sequence[str] = ()) -> Source:
    """Build a corpus or source."""
    return build(corpus.to_plain(), "corpus", trust, CORPUS_ROOMS)


def name_corpus(corpus: Component) -> str:
    """What a checkpoint calls a corpus."""
    return corpus.options.get("name", corpus.target)


def build_decoder(
    options: DecodeOptions, loaded: LoadedCheckpoint[AcousticModel], warn: bool = True
) -> Decoder:
    """Build a decoder, with the weights that suit the model, and its rescoring.

    Args:
        options: of the command.
        loaded: the acoustic model, whose tuned weights are taken.
        warn: whether to say if they were tuned with another model.

    Raises:
        InputError: an option is not what it may be, or a file cannot be read.
    """
    component, trust = options.decoder, options.trust
    cls = find_class(component.target, "decoder", trust, DECODER_ROOMS)
    is_beam = takes(cls, "model") and takes(cls, "rescoring")
    if not is_beam and options.rescore is not None:
        raise InputError(
            f"rescore is '{options.rescore}', but the decoder finds one text "
            "only; choose decoder=prefix_beam or flashlight"
        )
    digest = digest_weights(loaded.model)
    decoder = build(
        replace(component, takes_sizes=is_beam).to_plain(),
        "decoder",
        trust,
        DECODER_ROOMS,
        model=digest,
        rescoring=build_rescoring(options, digest),
    )
    if not isinstance(decoder, Decoder):
        raise InputError(
            f"decoder: {cls.__name__} has no name or no weights, expected both; add "
            "them as interfaces.Decoder says"
        )
    if warn:
        _warn_of_foreign_weights(decoder, options, digest)
    return decoder


def name_decoder(options: DecodeOptions | TuneOptions) -> str:
    """What a decoder calls itself. Raises InputError: there is no such class."""
    target, trust = options.decoder.target, options.trust
    cls: Any = find_class(target, "decoder", trust, DECODER_ROOMS)
    return str(cls.name)


def build_rescoring(options: DecodeOptions, model: str) -> Rescoring | None:
    """Build what sorts the best texts anew, if that is asked for.

    Args:
        options: of the command.
        model: digest of the acoustic model, whose tuned weights are taken.
    """
    if options.rescore is None:
        return None
    lm, weight = find_checkpoint(options.rescore), options.rescore_weight
    if weight is None:
        tuned = read_weights(lm, RESCORE, RESCORE_WEIGHTS, model)
        weight = tuned["rescore_weight"]
    scorer = load_text_scorer(lm, options.trust)
    return Rescoring(scorer, weight, options.rescore_texts)


def load_text_scorer(checkpoint: Path, trust: Sequence[str] = ()) -> TextScorer:
    """Load a language model that scores whole texts."""
    loaded = load_language_model(checkpoint, trust)
    return TextScorer(loaded.model, loaded.tokenizer)


def _warn_of_foreign_weights(
    decoder: Decoder, options: DecodeOptions, model: str
) -> None:
    """Say whose weights are taken where none were tuned with this model."""
    uses: list[tuple[str | Path, str, str]] = []
    if isinstance(decoder, TunableDecoder) and decoder.lm_path and decoder.takes_tuned:
        uses.append((decoder.lm_path, decoder.name, "its weights"))
    if options.rescore is not None and options.rescore_weight is None:
        text_model = find_checkpoint(options.rescore)
        uses.append((text_model, RESCORE, "its weights in rescoring"))
    for lm, use, what in uses:
        other = name_other(lm, use, model)
        if other is not None:
            log.warning(
                "%s: %s were tuned with another checkpoint, %s; speechgru tune finds "
                "those for this one",
                lm, what, other,
            )  # fmt: skip


def build_word_map(word_map: Component, trust: Sequence[str] = ()) -> WordMap | None:
    """Build what words count as; None: as themselves."""
    if word_map.target is None:
        return None
    built: WordMap = build(word_map.to_plain(), "word_map", trust, SCORE_ROOMS)
    return built


def build_augment(
    parts: Mapping[str, Component],
    trust: Sequence[str],
    sample_rate: int,
    seed: int = 0,
) -> Chain:
    """Build the waveform augmentation of training in loading, which may be none."""
    from speechgru.data.augment.chain import Chain

    return Chain(_build_each(parts, trust, sample_rate, on_device=False), seed)


def build_device_augment(
    parts: Mapping[str, Component], trust: Sequence[str], sample_rate: int
) -> DeviceChain:
    """Build the waveform augmentation of training on its device, which may be none.

    Raises:
        InputError: what is to be done in loading comes behind it.
    """
    from speechgru.data.augment.on_device import DeviceChain

    built = _build_each(parts, trust, sample_rate, on_device=True)
    names = list(parts)
    behind = [name for name in names[len(names) - len(built) :] if name not in built]
    if behind:
        raise InputError(
            f"augment is [{', '.join(names)}], but {', '.join(built)} run on the "
            f"device, behind all that is done in loading; put {behind[0]} before them"
        )
    return DeviceChain(built.values())


def _build_each(
    parts: Mapping[str, Component],
    trust: Sequence[str],
    sample_rate: int,
    on_device: bool,
) -> dict[str, Any]:
    built = {}
    for name, part in parts.items():
        group = f"augment.{name}"
        made_of = find_class(part.target, group, trust, AUGMENT_ROOMS)
        if getattr(made_of, "on_device", False) == on_device:
            plain = part.to_plain()
            built[name] = build(
                plain, group, trust, AUGMENT_ROOMS, sample_rate=sample_rate
            )
    return built


def build_tokenizer(
    text: Component, texts: Sequence[str] | Texts, trust: Sequence[str] = ()
) -> Tokenizer:
    """Build the tokenizer, from the texts where its class can use them.

    A text that is empty or cannot be normalised is left to the doctor, who
    names its utterance.
    """
    tokenizer_class = find_class(text.target, "text", trust)
    if not hasattr(tokenizer_class, "from_texts"):
        return build(text.to_plain(), "text", trust)

    def make(some: Iterable[str]) -> Tokenizer:
        try:
            tokenizer: Tokenizer = tokenizer_class.from_texts(some, **text.options)
        except OptionError as error:
            raise OptionError(f"text.{error}") from error
        except TypeError as error:  # an unknown option
            raise OptionError(f"text: {error}") from error
        return tokenizer

    try:
        return make(texts)
    except OptionError:
        raise
    except InputError:  # of a text
        return make(_find_usable([*texts], make))


def _find_usable(
    texts: Sequence[str], make: Callable[[Iterable[str]], Tokenizer]
) -> list[str]:
    """Leave out the texts that no tokenizer can be made of; found by halving."""
    usable: list[str] = []
    middle = (len(texts) + 1) // 2
    for half in (texts[:middle], texts[middle:]):
        try:
            make(half)
            usable += half
        except InputError:
            usable += _find_usable(half, make) if len(half) > 1 else []
    return usable
