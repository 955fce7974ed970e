"""Running the acoustic model over the utterances of a corpus."""

import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from speechgru.checkpoint.load import LoadedCheckpoint, to_device
from speechgru.data.dataset import SpeechDataset
from speechgru.data.folds import Fold, read_both
from speechgru.data.plan import BatchPlan
from speechgru.data.utterances import durations_of, join
from speechgru.factory import build_corpus, name_corpus
from speechgru.interfaces import Utterance
from speechgru.model.acoustic import AcousticModel
from speechgru.options.component import Component
from speechgru.options.evaluation import SplitOptions
from speechgru.progress import Progress
from speechgru.ranges import OptionError
from speechgru.threads import give_back_memory

log = logging.getLogger(__name__)

_TRIM_EVERY = 8
"""Batches, each of another size; see `give_back_memory`, which takes some 25 ms."""


@dataclass(frozen=True)
class ScoredBatch:
    """What the model makes of some utterances.

    Attributes:
        indices: of the utterances.
        references: their transcripts, normalised.
        log_probs: (B, T, C), on the model's device.
        lengths: (B,) frames.
    """

    indices: Sequence[int]
    references: Sequence[str]
    log_probs: Tensor
    lengths: Tensor


@dataclass(frozen=True)
class Split:
    """What is scored.

    Attributes:
        corpus: its name.
        name: of the split, or "fold 1/4".
        utterances: all of them.
    """

    corpus: str
    name: str
    utterances: Sequence[Utterance]


def name_split(options: SplitOptions) -> str:
    """What is asked for: the name of a split, or "fold 1/4"."""
    return options.split if options.fold is None else f"fold {options.fold}"


def chosen_corpus(options: SplitOptions) -> Component:
    """The corpus that is asked for. Raises OptionError: none is."""
    if options.corpus is None:
        raise OptionError("corpus is not chosen, expected one; set corpus=NAME")
    return options.corpus


def read_split(options: SplitOptions) -> Split:
    """Read what the options corpus, split and fold ask for."""
    corpus = build_corpus(chosen_corpus(options), options.trust)
    if options.fold is None:
        utterances = corpus.read(options.split)
        return Split(corpus.variant, name_split(options), utterances)
    fold = Fold.parse(options.fold)
    _, held_out = fold.split(join(*read_both(corpus)))
    return Split(corpus.variant, name_split(options), held_out)


def warn_if_heard(metadata: Mapping[str, Any], options: SplitOptions) -> None:
    """Warn if a model was trained on what is asked for, or on a part of it.

    Args:
        metadata: of the checkpoint; older ones do not say on what part they trained.
        options: as for `read_split`.
    """
    corpus = name_corpus(chosen_corpus(options))
    if "fold" not in metadata or metadata.get("corpus") != corpus:
        return
    trained, asked = metadata["fold"], options.fold
    if asked is not None:
        heard, asked_for = trained != asked, f"fold={asked}"
    else:
        split = options.split
        heard = split == "train" or (split == "dev" and trained is not None)
        asked_for = f"split={split}"
    if heard:
        log.warning(
            "%s: this model was trained on %s with data.fold=%s and has heard all or "
            "part of that; expected what it has not heard",
            asked_for, corpus, "null" if trained is None else trained,
        )  # fmt: skip


def unaugmented(
    loaded: LoadedCheckpoint[AcousticModel],
    utterances: Sequence[Utterance],
    options: SplitOptions,
) -> SpeechDataset:
    """The utterances as a model hears them to be scored."""
    return SpeechDataset(
        utterances,
        loaded.tokenizer,
        loaded.model.sample_rate,
        options.data.resample,
        with_targets=False,
    )


def score_utterances(
    loaded: LoadedCheckpoint[AcousticModel],
    utterances: Sequence[Utterance],
    options: SplitOptions,
    share: int = 0,
    num_shares: int = 1,
) -> Iterator[ScoredBatch]:
    """Run the model, on every n-th batch if there are n shares.

    Batches are planned before they are dealt out, so that every number of
    shares has the same ones.
    """
    model = to_device(loaded.model, options.device)
    data = unaugmented(loaded, utterances, options)
    plan = BatchPlan(durations_of(utterances), options.batch_seconds)
    for number, planned in enumerate(list(plan)[share::num_shares]):
        batch = data[planned].to(torch.device(options.device))
        with torch.inference_mode():
            log_probs, lengths = model(batch.waveforms, batch.waveform_lengths)
        yield ScoredBatch(planned.indices, batch.references, log_probs, lengths)
        if number % _TRIM_EVERY == 0:
            give_back_memory()


def show_minutes(
    batches: Iterable[ScoredBatch], utterances: Sequence[Utterance], name: str
) -> Iterator[ScoredBatch]:
    """Go through batches, and show how many minutes of audio are done.

    Args:
        batches: of `score_utterances`.
        utterances: all of them.
        name: of the work.
    """
    minutes = durations_of(utterances) / 60
    with Progress(name, math.fsum(minutes), "min of audio") as progress:
        for batch in batches:
            yield batch
            progress.advance(math.fsum(minutes[index] for index in batch.indices))
