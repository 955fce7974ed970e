"""How an option that is wrong is refused: its range, and its nearest neighbour."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from numbers import Integral, Real
from typing import Any

from speechgru.interfaces import InputError

LARGEST_SEED = 2**32 - 1
"""What NumPy's and Lightning's generators take."""

MOST_THREADS = 1024
"""Threads or processes that a machine is asked for, at most; 10^6 take all of it."""


class OptionError(InputError):
    """A value is out of its range; the message begins with the option's name."""


@dataclass(frozen=True)
class Range:
    """Numbers between two bounds; NaN lies in none.

    Attributes:
        least: the lower bound.
        most: the upper bound.
        is_whole: whether only whole numbers are meant.
        above: whether the lower bound itself lies outside.
        below: whether the upper bound itself lies outside.
    """

    least: float
    most: float
    is_whole: bool = False
    above: bool = False
    below: bool = False

    def __contains__(self, value: Any) -> bool:
        """Whether a value is such a number; True and False are none."""
        if not _is_number(value, self.is_whole):
            return False
        above = self.least < value if self.above else self.least <= value
        below = value < self.most if self.below else value <= self.most
        return bool(above and below)

    def __str__(self) -> str:
        kind = "a whole number" if self.is_whole else "a number"
        low, high = _show(self.least), _show(self.most)
        if math.isinf(self.most):
            return f"{kind} {'above' if self.above else 'of at least'} {low}"
        if self.above:
            return f"{kind} above {low}, {'below' if self.below else 'at most'} {high}"
        return f"{kind} from {low} to {'below ' if self.below else ''}{high}"


def whole(least: int, most: int) -> Range:
    """Whole numbers between two, both included."""
    return Range(least, most, is_whole=True)


PROBABILITY = Range(0, 1)
DROPOUT = Range(0, 1, below=True)
SEED = whole(0, LARGEST_SEED)
SIZE = whole(1, 65_536)
"""Units, channels, bands: more of them fit into no memory."""
SECONDS = Range(0, 1e6, above=True)
"""Of audio in a batch; eleven days."""
HOURS = Range(0, 1e7, above=True)
PAUSE = Range(0, 3600, above=True)
"""s of a stream that end an utterance."""
STEP = Range(0, 10, above=True)
"""s of a stream that are heard at once."""
INTERVAL = Range(0, 1e12)
"""s between two events, which 0 lets happen at every opportunity."""
EPOCHS = whole(1, 1_000_000_000)
MOST_COUNT = 1_000_000_000
COUNT = whole(1, MOST_COUNT)
ANY_COUNT = whole(0, MOST_COUNT)
THREADS = whole(1, MOST_THREADS)
DECIBELS = Range(-200, 200)
BITRATE = Range(6, 256)
"""kb/s that libsndfile encodes Opus with, mono."""
MEGABYTES = Range(0, 1e6, above=True)
GIGABYTES = Range(0, 1e9, above=True)
SAMPLE_RATE = whole(100, 1_000_000)
"""Hz."""
ORDER = whole(1, 100)
"""Words, or characters, of an n-gram."""
BEAM_SIZE = whole(1, 100_000)
WEIGHT = Range(0, 1000)
"""Of a language model's natural log-probabilities."""
LOG_SCORE = Range(-1e4, 1e4)
"""What is added to a natural log-probability."""


def check(name: str, value: Any, expected: Range) -> None:
    """Hold the value of an option against its range.

    Raises:
        OptionError: it lies outside, or is no such number.
    """
    if value not in expected:
        raise OptionError(f"{name} is {value!r}, expected {expected}")


def check_pair(name: str, values: Any, expected: Range) -> None:
    """Hold a range that is an option against what its ends may be.

    Raises:
        OptionError: there are not two, one lies outside, or the larger is first.
    """
    is_pair = isinstance(values, Sequence) and len(values) == 2
    if (
        not is_pair
        or not all(value in expected for value in values)
        or values[0] > values[1]
    ):
        raise OptionError(
            f"{name} is {_plain(values)!r}, expected two numbers, the smaller first, "
            f"each {expected}"
        )


def check_order(
    low_name: str, low: Any, high_name: str, high: Any, expected: Range
) -> None:
    """Hold two options that bound a draw against their range and each other.

    Raises:
        OptionError: one lies outside, or the first is above the second.
    """
    check(low_name, low, expected)
    check(high_name, high, expected)
    if low > high:
        raise OptionError(
            f"{low_name} is {low!r} and {high_name} {high!r}, expected {low_name} to "
            f"be no more than {high_name}"
        )


def check_each(name: str, values: Any, expected: Range) -> None:
    """Hold numbers of which one is drawn or tried against their range.

    Raises:
        OptionError: there are none, or one lies outside.
    """
    is_list = isinstance(values, Sequence) and not isinstance(values, str)
    if not is_list or not values or not all(value in expected for value in values):
        raise OptionError(
            f"{name} is {_plain(values)!r}, expected a list of one or more, each "
            f"{expected}"
        )


def nearest(word: str, known: Iterable[str]) -> str:
    """What to say behind an unknown word: "; did you mean ...?", or nothing."""
    known = list(dict.fromkeys(known))
    lower = {each.lower(): each for each in reversed(known)}
    found = get_close_matches(word.lower(), lower, n=1, cutoff=0.65)
    return f"; did you mean {lower[found[0]]}?" if found else ""


def _is_number(value: Any, is_whole: bool) -> bool:
    kind = Integral if is_whole else Real
    return not isinstance(value, bool) and isinstance(value, kind)


def _plain(values: Any) -> Any:
    return list(values) if isinstance(values, (list, tuple)) else values


def _show(number: float) -> str:
    return f"{number:g}" if isinstance(number, float) else str(number)
