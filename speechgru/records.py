"""The values of records, as JSON has them, each checked for what it should be."""

import json
from collections.abc import Mapping
from typing import Any

from speechgru.interfaces import InputError

MOST_NUMBER = 1e300
"""What numbers of a record stay below, so that their sums are finite."""


def get_text(record: Mapping[str, Any], key: str) -> str:
    """A string of a record."""
    value = record[key]
    if not isinstance(value, str):
        raise InputError(f"{key} is {show(value)}, expected a string; put it in quotes")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{key} holds half a surrogate pair, expected valid Unicode; "
            "correct the escape"
        ) from error
    return value


def get_name(record: Mapping[str, Any], key: str) -> str | None:
    """A string, or a whole number, as corpora like to count their speakers."""
    value = record.get(key)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return get_text(record, key) or None


def get_seconds(record: Mapping[str, Any], key: str) -> float:
    """A finite number of a record."""
    return get_number(record, key, "a number of seconds")


def get_number(record: Mapping[str, Any], key: str, kind: str) -> float:
    """A finite number of a record; `kind` says what it is in the error."""
    value = record[key]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    # No float is as large as an integer of 400 digits, which is finite, too.
    if not is_number or not -MOST_NUMBER < value < MOST_NUMBER:
        raise InputError(f"{key} is {show(value)}, expected {kind}; correct the line")
    return float(value)


def get_byte_range(record: Mapping[str, Any]) -> tuple[int, int] | None:
    """The first byte and the number of bytes, where a record has them."""
    value = record.get("byte_range")
    if value is None:
        return None
    whole = isinstance(value, list) and all(type(number) is int for number in value)
    if not whole or len(value) != 2 or not 0 <= value[0] < 1 << 62 > value[1] > 0:
        raise InputError(
            f"byte_range is {show(value)}, expected the first byte and the number of "
            "bytes, e.g. [1536, 40960]; correct the line"
        )
    return value[0], value[1]


def check_keys(record: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    """See that a record has what it must have."""
    missing = [key for key in keys if key not in record]
    if missing:
        expected = " and ".join(filter(None, [", ".join(keys[:-1]), keys[-1]]))
        raise InputError(
            f"no {' and no '.join(missing)}, expected {expected}; add what is missing"
        )


def show(value: Any) -> str:
    """A value of a record, cut to fit into a message."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "..."
