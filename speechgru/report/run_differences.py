"""By what the configuration of each run differs from those of most."""

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from speechgru.options.choices import CONF_DIR, choices, read_choice
from speechgru.options.component import PARTIAL, TARGET, Component, flatten
from speechgru.options.fields import Options
from speechgru.options.training import TrainOptions

NONE = "(none)"
"""Shown of what a run has not."""

COMPUTED = {"trainer.max_epochs": "trainer.max_time"}
"""Options that the program sets itself where another one is given."""

_LARGEST = 1e15
"""Up to which a whole number is shown as one."""


def find_differences(
    configs: Sequence[Mapping[str, Any]], ignored: Sequence[str] = ()
) -> list[dict[str, str]]:
    """Say of each configuration what is not as in most of them.

    What the user has not set is no difference: an option that a part did not have
    yet when the run began, one that the program computes, where corpora lie, and what
    the name of another corpus brings with it.

    Args:
        configs: values by the full names of options.
        ignored: names that are left out.
    """
    settled = [_settle(config) for config in configs]
    differences: list[dict[str, str]] = [{} for _ in configs]
    for key in sorted({key for config in settled for key in config}):
        if key in ignored or key.rpartition(".")[2] == PARTIAL:
            continue
        values = [_look_up(config, key) for config in settled]
        known = [value for value in values if value is not None]
        usual, _ = Counter(known).most_common(1)[0]
        for differs, value in zip(differences, values, strict=True):
            if value is not None and value != usual:
                differs[key] = value
    return [_without_what_follows(differs) for differs in differences]


@cache
def _later() -> Mapping[str, Any]:
    """What run folders of older versions lack, with the values that it had."""
    return flatten(_later_of(TrainOptions))


def _later_of(options: type[Options]) -> dict[str, Any]:
    later: dict[str, Any] = {}
    for field in dataclasses.fields(options):
        make = field.default_factory
        default = field.default if make is dataclasses.MISSING else make()
        if isinstance(default, Options):
            later[field.name] = _later_of(type(default))
        elif field.metadata.get("later"):
            is_part = isinstance(default, Component)
            later[field.name] = default.to_plain() if is_part else default
    return later


@cache
def _defaults(group: str, target: str) -> Mapping[str, Any]:
    """Options of the choice that stands for a class, as conf/ has them."""
    for name in choices(group) if (CONF_DIR / group).is_dir() else ():
        options = read_choice(group, name)
        if options.get(TARGET) == target:
            return flatten(options)
    return {}


def _settle(config: Mapping[str, Any]) -> dict[str, Any]:
    """Put in what later versions would have written, take out what was computed."""
    settled = {**_later(), **config}
    for key, given in COMPUTED.items():
        if config.get(given) is not None:
            settled.pop(key, None)
    data_dir = config.get("data_dir")
    for key, value in settled.items():
        is_path = key.startswith("corpus.") and isinstance(value, str)
        if is_path and data_dir and value.startswith(f"{data_dir}/"):
            settled[key] = value.removeprefix(str(data_dir))
    return settled


def _look_up(config: Mapping[str, Any], key: str) -> str | None:
    """A value as text, equal for equal values; None: there is nothing to compare.

    Of a part that lacks an option the value is what it was before there was that
    option; a part of another class, or one that is not there, has other options.
    """
    if key in config:
        return _show(config[key])
    parts = key.split(".")
    for size in range(1, len(parts) if parts[-1] != TARGET else 0):
        part = ".".join(parts[:size])
        if f"{part}.{TARGET}" in config:
            defaults = _defaults(parts[0], str(config[f"{part}.{TARGET}"]))
            name = key.removeprefix(f"{part}.")
            return _show(defaults[name]) if name in defaults else None
    is_of_part = len(parts) > 2 and parts[-1] != TARGET
    return None if is_of_part else NONE


def _without_what_follows(differs: dict[str, str]) -> dict[str, str]:
    """What a corpus consists of follows from its name."""
    if "corpus.name" not in differs:
        return differs
    return {
        key: value
        for key, value in differs.items()
        if key == "corpus.name" or not key.startswith("corpus.")
    }


def _show(value: Any) -> str:
    value = _plain(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """Write equal numbers alike: 0 and 0.0, 1e-3 and 0.001."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST:
        return int(value)
    return value
