"""What an option may be that is neither a number of a range nor one of a few words."""

import re
import sys
from typing import Any

from speechgru.ranges import COUNT, MOST_THREADS, THREADS, OptionError, whole

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")
SHORT_PRECISIONS = (32, 16, "32", "16", "bf16")
"""What Lightning takes for the same."""

MOST_CHANNELS = 1024
"""That libsndfile reads."""


def precision(name: str, value: Any) -> None:
    """How wide the numbers are that are computed with."""
    if isinstance(value, bool) or value not in (*PRECISIONS, *SHORT_PRECISIONS):
        raise OptionError(
            f"{name} is {value!r}, expected one of: {', '.join(PRECISIONS)}"
        )


def devices(name: str, value: Any) -> None:
    """How many processes or GPUs, or which of them."""
    numbers = value
    if isinstance(value, str):
        if value == "auto":
            return
        are_numbers = re.fullmatch(r"\d+(,\d+)*", value)
        numbers = [int(part) for part in value.split(",")] if are_numbers else None
    if isinstance(numbers, (list, tuple)):
        good = numbers and all(each in whole(0, MOST_THREADS) for each in numbers)
    else:
        good = numbers == -1 or numbers in THREADS
    if not good or isinstance(value, bool):
        raise OptionError(
            f"{name} is {value!r}, expected auto, -1 for all, a number from 1 to "
            f"{MOST_THREADS}, or a list of which, e.g. [0,1]"
        )


def workers(name: str, value: Any) -> None:
    """How many loading processes."""
    good = value == "auto" or value in whole(0, MOST_THREADS)
    if not good or isinstance(value, bool):
        raise OptionError(
            f"{name} is {value!r}, expected auto, or a whole number from 0 to "
            f"{MOST_THREADS}"
        )


def nodes(name: str, value: Any) -> None:
    """How many machines."""
    if value != "auto" and (isinstance(value, bool) or value not in COUNT):
        raise OptionError(
            f"{name} is {value!r}, expected auto, or a whole number of machines"
        )


def channel(name: str, value: Any) -> None:
    """Which channels of a recording are heard."""
    if value not in ("mix", "each") and value not in whole(0, MOST_CHANNELS - 1):
        raise OptionError(
            f"{name} is {value!r}, expected mix, each, or the number of a channel from "
            f"0 to {MOST_CHANNELS - 1}"
        )


def modules(name: str, value: Any) -> None:
    """A list of modules of the user's own."""
    if not isinstance(value, (list, tuple)):
        is_own = isinstance(value, str) and value not in sys.stdlib_module_names
        example = value if is_own else "my_package.my_module"
        raise OptionError(
            f"{name} is {value!r}, expected a list of modules of your own; write "
            f"'{name}=[{example}]'"
        )
    for module in value:
        is_name = isinstance(module, str) and re.fullmatch(r"\w+(\.\w+)*", module)
        if not is_name or module.partition(".")[0] in sys.stdlib_module_names:
            raise OptionError(
                f"{name} holds {module!r}, expected modules of your own, each named in "
                "full, e.g. my_package.my_module; leave it out"
            )


def shard(name: str, value: Any) -> None:
    """Which of how many parts."""
    if value is None:
        return
    found = (
        re.fullmatch(r"(\d{1,9})/(\d{1,9})", value) if isinstance(value, str) else None
    )
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise OptionError(
            f"{name} is {value!r}, expected null or NUMBER/TOTAL, e.g. 3/16 for the "
            "third of 16 parts"
        )


def is_address(place: str | None) -> bool:
    """Whether something lies beyond this machine's files."""
    return place is not None and bool(
        re.match(r"(?!file:|sqlite:)\w+:|databricks", place)
    )


def place(name: str, value: Any) -> None:
    """Where something is written to: a folder, or an address without a password."""
    if value is None:
        return
    if not isinstance(value, str) or not value.strip():
        raise OptionError(f"{name} is {value!r}, expected a folder or an address")
    if re.match(r"\w+://[^/]*@", value):
        raise OptionError(
            f"{name} holds a password, which would be kept in the run folder, expected "
            "an address without; put it into the environment "
            "(MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD)"
        )
