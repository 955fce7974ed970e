"""Axes that people can read: where they begin and end, and what is written on them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

LOG_SPAN = 10.0
"""Largest over smallest of values that are shown on a logarithmic axis."""

MOST = 1e30
"""What is larger is an accident, and no picture of anything else."""

_NICE = (1, 2, 5)


@dataclass(frozen=True)
class Axis:
    """An axis that holds all of its values.

    Attributes:
        low, high: its ends; high is above low.
        is_log: whether it is logarithmic.
        ticks: values that are written on it.
    """

    low: float
    high: float
    is_log: bool
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """How far along the axis a value lies, from 0 to 1.

        >>> amounts([1, 100]).place(10)
        0.5
        """
        if self.is_log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return min(1.0, max(0.0, share))


def can_be_drawn(value: float) -> bool:
    """Whether a value is a number that has a place beside others."""
    return math.isfinite(value) and abs(value) < MOST


def amounts(
    values: Sequence[float], most_ticks: int = 6, may_be_log: bool = True
) -> Axis:
    """The axis of amounts: from 0, or logarithmic where they span much.

    >>> amounts([0.3, 3.6]).ticks
    (0.2, 0.5, 1.0, 2.0, 5.0)
    >>> amounts([0, 3.6]).ticks
    (0.0, 1.0, 2.0, 3.0, 4.0)
    """
    low, high = min(values, default=0.0), max(values, default=1.0)
    if may_be_log and low > 0 and high / low >= LOG_SPAN:
        return _logarithmic(low, high, most_ticks)
    low, high = min(low, 0.0), max(high, 0.0)
    step = _at_least((high - low or 1.0) / (most_ticks - 1))
    first, last = math.floor(low / step), math.ceil(high / step)
    last = max(last, first + 1)
    ticks = tuple(round(step * n, 12) for n in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], False, ticks)


def counts(values: Sequence[float], most_ticks: int = 8) -> Axis:
    """The axis of what is counted, such as epochs: whole numbers only.

    >>> counts([1, 12]).ticks
    (2, 4, 6, 8, 10, 12)
    """
    low, high = min(values, default=0.0), max(values, default=1.0)
    step = max(1, round(_at_least((high - low) / most_ticks)))
    ticks = tuple(range(math.ceil(low / step) * step, math.floor(high) + 1, step))
    if low == high:  # a single epoch lies in the middle
        low, high = low - 1, high + 1
    return Axis(low, high, False, ticks)


def write_number(value: float) -> str:
    """A value as it is written beside a tick.

    >>> write_number(0.05), write_number(200.0), write_number(2e-05)
    ('0.05', '200', '2e-05')
    """
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.6g}"


def _logarithmic(low: float, high: float, most_ticks: int) -> Axis:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    nice = [n * 10.0**power for power in range(first, last + 1) for n in _NICE]
    start = max(value for value in nice if value <= low * (1 + 1e-9))
    end = min(value for value in nice if value >= high * (1 - 1e-9))
    ticks = [float(f"{value:.6g}") for value in nice if start <= value <= end]
    if len(ticks) > most_ticks:
        decades = last - first
        every = math.ceil(decades / most_ticks)
        ticks = [10.0**power for power in range(first, last + 1, every)]
        ticks = [tick for tick in ticks if start <= tick <= end]
    return Axis(start, end, True, tuple(ticks))


def _at_least(rough: float) -> float:
    """The next number of 1, 2, 5, 10, ..."""
    if rough <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(n * power for n in (*_NICE, 10) if n * power >= rough * (1 - 1e-9))
