"""What the options may be that no constructor holds against a range of its own."""

import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

from speechgru.ranges import (
    BEAM_SIZE,
    COUNT,
    EPOCHS,
    INTERVAL,
    LOG_SCORE,
    MOST_THREADS,
    ORDER,
    PROBABILITY,
    SECONDS,
    SEED,
    WEIGHT,
    OptionError,
    Range,
    check_each,
    whole,
)

Rule = Callable[[str, Any], None]
"""Takes an option's name and value; raises OptionError."""

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")
SHORT_PRECISIONS = (32, 16, "32", "16", "bf16")
"""What Lightning takes for the same."""


def number(expected: Range, null: bool = False) -> Rule:
    """A number of a range, or null where that has a meaning."""

    def rule(name: str, value: Any) -> None:
        if value is None and null:
            return
        if value not in expected:
            raise OptionError(
                f"{name} is {value!r}, expected {'null or ' if null else ''}{expected}"
            )

    return rule


def each(expected: Range) -> Rule:
    """A list of numbers of a range."""
    return lambda name, value: check_each(name, value, expected)


def path(name: str, value: Any) -> None:
    """The name of a file or folder, or null."""
    if value is not None and (not isinstance(value, str) or not value):
        raise OptionError(
            f"{name} is {value!r}, expected a path; put quotes around a name that "
            f"looks like something else: '{name}=\"NAME\"'"
        )


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
    if isinstance(numbers, list):
        good = numbers and all(each in whole(0, MOST_THREADS) for each in numbers)
    else:
        good = numbers == -1 or numbers in whole(1, MOST_THREADS)
    if not good or isinstance(value, bool):
        raise OptionError(
            f"{name} is {value!r}, expected auto, -1 for all, a number from 1 to "
            f"{MOST_THREADS}, or a list of which, e.g. [0,1]"
        )


def modules(name: str, value: Any) -> None:
    """A list of modules of the user's own."""
    if not isinstance(value, list):
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


def checkpoint(name: str, value: Any) -> None:
    """A path; or false, which is none at all."""
    if value is not False:
        path(name, value)


THREADS = number(whole(1, MOST_THREADS))

RULES: Mapping[str, Rule] = {
    "seed": number(SEED),
    "num_threads": THREADS,
    "processes": THREADS,
    "trust": modules,
    # paths
    "data_dir": path,
    "runs_dir": path,
    "init_from": path,
    "output": path,
    "rescore": path,
    "checkpoint": checkpoint,
    # of single commands
    "batch_seconds": number(SECONDS),
    "beam_sizes": each(BEAM_SIZE),
    "max_memory": number(Range(0, 1_000_000, above=True), null=True),  # GB
    "lm_weights": each(WEIGHT),
    "order": number(ORDER),
    "rescore_texts": number(BEAM_SIZE),
    "rescore_weight": number(WEIGHT, null=True),
    "rescore_weights": each(WEIGHT),
    "show": number(whole(0, COUNT.most)),
    "word_scores": each(LOG_SCORE),
    "worst": number(whole(0, COUNT.most)),
    # of groups that become no object
    "callbacks.draw_every": number(INTERVAL),
    "callbacks.early_stopping_patience": number(whole(0, COUNT.most), null=True),
    "callbacks.keep_every": number(EPOCHS, null=True),
    "callbacks.save_every": number(INTERVAL),
    "data.batch_seconds": number(SECONDS),
    "data.batch_tokens": number(COUNT),
    "data.max_dev": number(COUNT, null=True),
    "data.max_train": number(COUNT, null=True),
    "data.num_buckets": number(COUNT),
    "data.num_workers": number(whole(0, MOST_THREADS)),
    "data.wordless": number(PROBABILITY),
    "trainer.accumulate": number(whole(1, 1_000_000)),
    "trainer.devices": devices,
    "trainer.log_every_n_steps": number(COUNT),
    "trainer.max_epochs": number(EPOCHS),
    "trainer.num_threads": THREADS,
    "trainer.precision": precision,
}
"""By the option's name."""


def check_options(config: Mapping[str, Any], prefix: str = "") -> None:
    """Hold the options of a command against these rules.

    Raises:
        OptionError: one is not what it may be.
    """
    for key, value in config.items():
        name = f"{prefix}{key}"
        if name in RULES:
            RULES[name](name, value)
        elif isinstance(value, Mapping):
            check_options(value, f"{name}.")
