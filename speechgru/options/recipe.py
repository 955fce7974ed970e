"""What a recipe of `conf/` trains, read without Hydra."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speechgru.options.choices import choose, default_data_dir, find_choice, read_choice
from speechgru.options.component import PARTIAL, TARGET, Component
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
    chosen = _read_choices(body) | choices
    corpus = choose("corpus", chosen.pop("corpus"), folder)
    return _fill(body, chosen, corpus, folder, f"recipe {name}: ")


def fill_recipe(
    body: Mapping[str, Any], corpus: Component, data_dir: str | Path | None = None
) -> TrainOptions:
    """The training that the text of a recipe describes, on a corpus.

    Args:
        body: as its YAML reads; it names no corpus.
        corpus: the corpus.
        data_dir: as for `read_recipe`.

    Raises:
        OptionError: there is no such group, choice or option.
    """
    folder = default_data_dir() if data_dir is None else Path(data_dir)
    return _fill(body, _read_choices(body), corpus, folder, "recipe: ")


def _read_choices(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key.removeprefix("override /"): choice
        for override in body.get("defaults", [])
        for key, choice in override.items()
    }


def _fill(
    body: Mapping[str, Any],
    chosen: Mapping[str, Any],
    corpus: Component,
    folder: Path,
    where: str,
) -> TrainOptions:
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
    changes = {key: value for key, value in body.items() if key != "defaults"}
    return TrainOptions.read(_merge(values, changes, where))


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
