"""Moments of a recording as people write them: 12:30, 1:02:03.5, 750."""

import math
import re
from typing import Any

from speechgru.ranges import OptionError

_CLOCK = re.compile(r"(?:(\d{1,6}):)?(\d{1,6}):([0-5]?\d(?:\.\d{1,9})?)")
_EXPECTED = "seconds, or minutes:seconds or hours:minutes:seconds as in 12:30.5"


def moment(name: str, value: Any) -> None:
    """A moment, or null. Raises OptionError."""
    if value is not None:
        to_seconds(name, value)


def to_seconds(name: str, value: Any) -> float:
    """The s from the start of a recording to a moment.

    Args:
        name: of the option, for messages.
        value: a number of s, or a text.

    Raises:
        OptionError: it is neither.

    >>> to_seconds("start", "1:02:03.5")
    3723.5
    """
    if isinstance(value, str):
        if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value):
            return float(value)
        clock = _CLOCK.fullmatch(value)
        if clock and (not clock[1] or int(clock[2]) < 60):
            hours, minutes = int(clock[1] or 0), int(clock[2])
            return 3600.0 * hours + 60.0 * minutes + float(clock[3])
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_number and math.isfinite(value) and 0 <= value < 1e9:
        return float(value)
    raise OptionError(f"{name} is {value!r}, expected null or {_EXPECTED}")
