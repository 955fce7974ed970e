"""What a recipe of `conf/` trains, read without Hydra."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speechgru.options.choices import choose, default_data_dir, find_choice, read_choice
from speechgru.options.component import PARTIAL, TARGET
from speechgru.options.config_file import read_config
from speechgru.options.training import TrainOptions
from speechgru.ranges import OptionError, nearest

OPTION_GROUPS = ("data", "trainer", "logger", "callbacks")
"""Groups of options; the choices of all others are parts, with a _target_."""


def read_recipe(
    name: str, data_dir: str | Path | None = None, **choices: str | list[str]
) -> TrainOptions:
    """The training that a recipe describes.

    Args:
        name: of the recipe, e.g. "an4/bigru".
        data_dir: where corpora lie; None: SPEECHGRU_DATA, or `data`.
        choices: other ones than the recipe's, by group, e.g. encoder="lstm"; of
            augment a list.

    Raises:
        OptionError: there is no such recipe, group, choice or option.

    Examples:
        >>> options = read_recipe("an4/gru_vs_lstm", encoder="lstm")
        >>> options.encoder.options["hidden_size"]
        128
    """
    folder = default_data_dir() if data_dir is None else Path(data_dir)
    body = read_config(find_choice("recipe", name))
    chosen = {
        key.removeprefix("override /"): choice
        for override in body.pop("defaults", [])
        for key, choice in override.items()
    } | choices
    corpus = choose("corpus", chosen.pop("corpus"), folder)
    values = TrainOptions(corpus=corpus, data_dir=folder).to_plain()
    for group, choice in chosen.items():
        if group not in values:
            raise OptionError(
                f"unknown group {group!r}, expected one of: {', '.join(values)}"
                f"{nearest(group, values)}"
            )
        if group == "augment":
            parts = [choice] if isinstance(choice, str) else choice
            values[group] = {part: choose(group, part).to_plain() for part in parts}
            values[group].pop("none", None)
        elif group in OPTION_GROUPS:
            values[group] |= read_choice(group, choice)
        else:
            values[group] = choose(group, choice, folder).to_plain()
    return TrainOptions.read(_merge(values, body, f"recipe {name}: "))


def _merge(
    values: Mapping[str, Any], changes: Mapping[str, Any], where: str
) -> dict[str, Any]:
    """Nested options with some of them changed; there must be each."""
    merged = dict(values)
    for key, change in changes.items():
        if key not in values:
            known = [each for each in values if each not in (TARGET, PARTIAL)]
            raise OptionError(
                f"{where}{key} is no option here, expected one of: {', '.join(known)}"
                f"{nearest(key, known)}"
            )
        if isinstance(change, Mapping) and isinstance(values[key], Mapping):
            change = _merge(values[key], change, f"{where}{key}.")
        merged[key] = change
    return merged
