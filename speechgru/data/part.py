"""Less speech than there is, to see what more of it brings."""

from collections.abc import Sequence

import numpy as np

from speechgru.data.randomness import keyed_seed
from speechgru.data.utterances import durations_of, select
from speechgru.interfaces import InputError, Utterance


def draw_hours(utterances: Sequence[Utterance], hours: float) -> Sequence[Utterance]:
    """Draw utterances until they last for so long, and keep their order.

    Which are drawn first depends on their ids alone. So a smaller part lies within a
    larger one, and runs of all seeds hear the same.

    Args:
        utterances: of a split.
        hours: h; the utterance that completes them is the last.

    Raises:
        InputError: there is less.
    """
    seconds, durations = 3600 * hours, durations_of(utterances)
    if durations.sum() < seconds:
        raise InputError(
            f"data.train_hours is {hours:g}, but train has {durations.sum() / 3600:.3f}"
            " h; ask for less, or set it to null for all"
        )
    keys = [keyed_seed("hours", utterance.id) for utterance in utterances]
    order = np.argsort(keys, kind="stable")
    behind = np.cumsum(durations[order])
    return select(utterances, np.sort(order[: np.searchsorted(behind, seconds) + 1]))
