"""How full the steps of training are, and what would fill them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from speechgru.data.plan import BatchPlan

FULL = 0.7
"""Share of a step that is audio; what is fuller needs no remedy."""

MOST_PLANNED = 200_000
"""Utterances; a plan of more is made of a sample, evenly over their durations."""


@dataclass(frozen=True)
class Filling:
    """What the steps of an epoch hold on average.

    Attributes:
        batch_seconds: s that a step may hold, padding and all views included.
        held: s of audio in one, all views included.
        num_steps: of an epoch.
    """

    batch_seconds: float
    held: float
    num_steps: int

    @property
    def share(self) -> float:
        """Of what a step may hold."""
        return self.held / self.batch_seconds

    @property
    def is_full(self) -> bool:
        """Whether steps need no remedy; a single one has none."""
        return self.share >= FULL or self.num_steps == 1


def measure_filling(
    durations: Sequence[float] | NDArray[np.float64],
    batch_seconds: float,
    num_buckets: int,
    num_views: int = 1,
    num_parts: int = 1,
) -> Filling:
    """Plan an epoch, and see what its steps hold.

    Args:
        durations: s, of every utterance, as training plans them: with the silence that
            augmentation adds.
        batch_seconds, num_buckets: as of training.
        num_views: of each utterance in its step.
        num_parts: of a step, over processes and accumulation.
    """
    seconds = np.asarray(durations, dtype=np.float64)
    every = -(-len(seconds) // MOST_PLANNED)
    planned = np.sort(seconds)[::every]
    plan = BatchPlan(
        planned,
        batch_seconds / num_views,
        num_buckets,
        shuffle=True,
        num_ranks=min(num_parts, len(planned)),
    )
    num_steps = plan.steps_per_pass
    held = float(planned.sum()) * num_views / num_steps
    return Filling(batch_seconds, held, num_steps * every)


def describe_filling(
    durations: Sequence[float] | NDArray[np.float64],
    batch_seconds: float,
    num_buckets: int,
    num_views: int = 1,
) -> str:
    """How full the steps are and, where they are not, how they would be.

    Args:
        durations, batch_seconds, num_buckets, num_views: as for `measure_filling`.
    """
    found = measure_filling(durations, batch_seconds, num_buckets, num_views)
    views = "" if num_views == 1 else f", {num_views} views of each utterance"
    said = (
        f"steps of {batch_seconds:g} s hold {found.held:.0f} s of audio on average "
        f"({100 * found.share:.0f} %{views}): {found.num_steps} steps an epoch"
    )
    longest = float(np.max(durations)) * num_views
    if longest > batch_seconds:
        return (
            f"{said}; the longest utterance takes {longest:.0f} s, more than a step "
            "shall hold: cut the longest recordings into sentences, or let steps be "
            "larger"
        )
    if found.is_full:
        return said
    other = find_fuller(durations, batch_seconds, num_buckets, num_views)
    why = (
        f"the longest utterance takes {longest:.0f} s"
        if longest > batch_seconds / 2
        else "utterances of unlike length share a step, since there are few steps"
    )
    if other is None:
        return f"{said}; {why}: cut the longest recordings into sentences"
    return (
        f"{said}; {why}; data.batch_seconds={other.batch_seconds:g} would hold "
        f"{other.held:.0f} s in {other.num_steps} steps"
    )


def find_fuller(
    durations: Sequence[float] | NDArray[np.float64],
    batch_seconds: float,
    num_buckets: int,
    num_views: int = 1,
) -> Filling | None:
    """The least larger batch that holds as much audio as was meant, or nearly.

    Returns:
        None: none up to three times as large does.
    """
    for factor in (1.15, 1.3, 1.5, 1.75, 2.0, 2.5, 3.0):
        wanted = float(round(factor * batch_seconds))
        found = measure_filling(durations, wanted, num_buckets, num_views)
        if found.held >= 0.9 * batch_seconds:
            return found
    return None
