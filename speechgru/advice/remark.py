"""One line of a training that is far from what was measured on the like."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from speechgru.advice.batches import MOST_PLANNED, find_fuller, measure_filling
from speechgru.advice.measured import MeasuredRun, read_measured_runs
from speechgru.advice.recommend import count_views
from speechgru.options.training import TrainOptions

LEAST = 0.05
"""h of audio; of less the table says nothing."""

MUCH = 3.0
"""Times as large or as long is far."""


def remark(
    options: TrainOptions,
    hours: float,
    durations: Sequence[float] | NDArray[np.float64],
) -> str | None:
    """What is far from all runs of about as many hours, or leaves steps half empty.

    Args:
        options: of the training.
        hours: h of what is trained on.
        durations: s, of each utterance as it is planned.

    Returns:
        None: nothing is, or there is too little or too much to tell.
    """
    if hours < LEAST or len(durations) > MOST_PLANNED:
        return None
    said = _look_at_steps(options, durations) + _compare(options, _find_like(hours))
    if not said:
        return None
    return f"advice: {'; '.join(said)}; speechgru advise says more"


def _find_like(hours: float) -> list[MeasuredRun]:
    """Runs of about as many hours, of two corpora at least.

    One alone says too little: yesno, the smallest, has two words of one speaker.
    """
    runs = sorted(
        read_measured_runs(), key=lambda run: abs(math.log(run.hours / hours))
    )
    nearest = list(dict.fromkeys(_name_corpus(run) for run in runs))[:2]
    return [
        run
        for run in runs
        if 1 / MUCH < run.hours / hours < MUCH or _name_corpus(run) in nearest
    ]


def _name_corpus(run: MeasuredRun) -> str:
    """Without the part of it."""
    return run.corpus.partition(",")[0]


def _compare(options: TrainOptions, like: Sequence[MeasuredRun]) -> list[str]:
    said = []
    ours = options.encoder.options
    if {"hidden_size", "num_layers"} <= set(ours):
        size = ours["num_layers"] * ours["hidden_size"] ** 2
        sizes = [run.num_layers * run.hidden_size**2 for run in like]
        if not min(sizes) / MUCH <= size <= MUCH * max(sizes):
            theirs = {f"{run.num_layers}x{run.hidden_size}" for run in like}
            said.append(
                f"the encoder is {ours['num_layers']}x{ours['hidden_size']}, measured "
                f"on as many hours {_list(theirs)}"
            )
    epochs = [run.epochs for run in like]
    trainer = options.trainer
    by_epochs = not (
        trainer.max_steps or trainer.max_time or options.data.steps_per_epoch
    )
    ours_epochs = trainer.max_epochs
    if by_epochs and not min(epochs) / MUCH <= ours_epochs <= MUCH * max(epochs):
        said.append(
            f"trainer.max_epochs is {ours_epochs}, measured on as many hours "
            f"{_list(set(map(str, epochs)))}"
        )
    return said


def _list(words: Iterable[str]) -> str:
    return ", ".join(sorted(words, key=lambda word: (len(word), word)))


def _look_at_steps(
    options: TrainOptions, durations: Sequence[float] | NDArray[np.float64]
) -> list[str]:
    data, views = options.data, count_views(options)
    if data.per_process:
        return []
    found = measure_filling(durations, data.batch_seconds, data.num_buckets, views)
    if found.is_full:
        return []
    said = (
        f"steps of {data.batch_seconds:g} s hold {found.held:.0f} s of audio on average"
    )
    other = find_fuller(durations, data.batch_seconds, data.num_buckets, views)
    if other is not None:
        said += (
            f", with data.batch_seconds={other.batch_seconds:g} they would hold "
            f"{other.held:.0f} s"
        )
    return [said]
