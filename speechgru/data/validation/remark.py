"""A remark on a split: what is unusual, how often, and where."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from speechgru.files import printable
from speechgru.interfaces import Utterance

NUM_NAMED = 5
"""Utterances that a remark names."""


@dataclass(frozen=True)
class Remark:
    """What is unusual in a split, and no problem.

    Attributes:
        kind: a word, e.g. "clipped".
        split: where; None: all of them.
        message: what, how often, where, remedy.
        indices: of the utterances concerned, the clearest cases first; empty: the
            remark is on all of them.
    """

    kind: str
    split: str | None
    message: str
    indices: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))


def name_some(
    utterances: Sequence[Utterance],
    indices: np.ndarray,
    show: Callable[[int], str] | None = None,
) -> str:
    """The first few of some utterances, by their ids.

    Args:
        utterances: of the split.
        indices: of those that are meant.
        show: what to say of one, in brackets.
    """
    some = [
        printable(utterances[index].id) + (f" ({show(index)})" if show else "")
        for index in indices[:NUM_NAMED].tolist()
    ]
    rest = len(indices) - len(some)
    return ", ".join(some) + (f" and {rest} other{'s' * (rest != 1)}" if rest else "")
