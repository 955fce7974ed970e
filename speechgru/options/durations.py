"""How long something may take, as people write it: 2h, 90m, 1h30m, 1:30:00, 90."""

import re
from typing import Any

from speechgru.ranges import OptionError, Range

MINUTES = Range(0, 1e7, above=True)
"""Of a run; nineteen years."""

_UNITS = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_NUMBER = r"\d{1,9}(?:\.\d{1,9})?"
_PARTS = re.compile("".join(rf"(?:({_NUMBER}){unit})?" for unit in _UNITS))
_CLOCK = re.compile(r"(\d{1,6}):([0-5]\d):([0-5]\d)")


def duration(name: str, value: Any) -> None:
    """A length of time, or null. Raises OptionError."""
    if value is not None:
        to_seconds(name, value)


def to_seconds(name: str, value: Any) -> float:
    """The s that a length of time has.

    Args:
        name: of the option, for messages.
        value: a number of minutes, or a text.

    Raises:
        OptionError: it is neither, or out of its range.

    >>> to_seconds("max_time", "1h30m"), to_seconds("max_time", 90)
    (5400.0, 5400.0)
    """
    seconds = _read(value)
    if seconds is None or seconds / 60 not in MINUTES:
        raise OptionError(
            f"{name} is {value!r}, expected null, minutes as {MINUTES}, or such as "
            "2h, 90m, 45s, 1h30m, 1d12h or hours:minutes:seconds, 1:30:00, in quotes "
            "in a YAML file"
        )
    return seconds


def _read(value: Any) -> float | None:
    if isinstance(value, str):
        text = value.strip().lower()
        if re.fullmatch(_NUMBER, text):
            return 60 * float(text)
        clock = _CLOCK.fullmatch(text)
        if clock:
            return 3600.0 * int(clock[1]) + 60.0 * int(clock[2]) + int(clock[3])
        parts = _PARTS.fullmatch(text)
        if not text or not parts:
            return None
        numbers = zip(parts.groups(), _UNITS.values(), strict=True)
        return sum(float(number or 0) * unit for number, unit in numbers)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return 60.0 * value if is_number and abs(value) < 1e12 else None
