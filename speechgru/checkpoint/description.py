"""What a checkpoint may say of itself."""

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from speechgru.interfaces import InputError

MODEL_GROUPS = ("features", "normalize", "spec_augment", "subsampling", "encoder")
"""What a model configuration consists of."""

LANGUAGE_MODEL_GROUPS = ("language_model", "encoder")
"""What that of a language model consists of."""

PLAIN = (str, int, float, bool, type(None))

MOST_VALUES = 300_000
"""And characters in 16: lists that hold each other can stand for billions."""

DEEPEST = 30
"""Lists and mappings within each other."""

LARGEST_NUMBER = 1 << 20
"""Of any whole number that describes our modules; sizes are far below it."""


def check_values(checkpoint: Any) -> None:
    """See that all is tensors and plain values, and not too many of them.

    Raises:
        InputError: something else, with the name of its place.
    """
    waiting = [("", checkpoint, 0)]
    count = 0
    while waiting:
        name, value, depth = waiting.pop()
        count += 1 + (len(value) // 16 if isinstance(value, str) else 0)
        inner: list[tuple[Any, Any]] = []
        if isinstance(value, Mapping):
            inner = [*value.items()]
        elif isinstance(value, (list, tuple)):
            inner = [*enumerate(value)]
        elif isinstance(value, int) and abs(value) >= 1 << 63:
            raise InputError(f"{name} has more than 63 bits, expected fewer")
        # The number of what waits is bounded, too.
        count += len(inner)
        if count > MOST_VALUES or depth > DEEPEST:
            raise InputError(
                f"holds more than {MOST_VALUES} values, or nested more than {DEEPEST} "
                "levels deep; refused, since reading it could fill the memory"
            )
        place = f"{name}." if name else ""
        waiting += [(f"{place}{str(key)[:40]}", item, depth + 1) for key, item in inner]


def check_description(description: Mapping[str, Any]) -> None:
    """See that a description has all its parts, of plain values.

    Raises:
        InputError: a part is missing, or of another kind.
    """
    for part in ("model", "tokenizer", "metadata"):
        _check_mapping(description.get(part), part)
        _check_plain(description[part], part)
    model = description["model"]
    groups = LANGUAGE_MODEL_GROUPS if "language_model" in model else MODEL_GROUPS
    for group in groups:
        if group not in model:
            raise InputError(undescribed(f"its model has no {group}"))
        if group != "spec_augment" or model[group] is not None:
            _check_mapping(model[group], group)
            # What numbers mean to a user's own modules is not known here.
            if str(model[group].get("_target_")).startswith("speechgru."):
                _check_numbers(model[group], group)


def undescribed(why: str) -> str:
    """The message for a description that is not that of the weights."""
    return (
        f"does not describe its model ({why}); it was altered, or written by an "
        "incompatible version"
    )


def _check_mapping(value: Any, name: str) -> None:
    if not isinstance(value, Mapping):
        raise InputError(undescribed(f"{name} is {_show(value)}, expected a mapping"))


def _check_plain(value: Any, name: str) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise InputError(undescribed(f"{name} has the key {_show(key)}"))
            _check_plain(item, f"{name}.{key}")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _check_plain(item, f"{name}[{index}]")
    elif not isinstance(value, PLAIN):
        kind = "Tensor" if isinstance(value, Tensor) else type(value).__name__
        raise InputError(undescribed(f"{name} is a {kind}, expected a plain value"))


def _check_numbers(value: Any, name: str) -> None:
    """See that no number of a model is absurd; `check_values` bounds the depth."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            _check_numbers(item, f"{name}.{key}")
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check_numbers(item, name)
    elif isinstance(value, float) and not math.isfinite(value):
        raise InputError(undescribed(f"{name} is {value}, expected a finite number"))
    elif isinstance(value, int) and abs(value) > LARGEST_NUMBER:
        limit = f"expected {LARGEST_NUMBER} at most"
        raise InputError(undescribed(f"{name} is {value}, {limit}"))


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
