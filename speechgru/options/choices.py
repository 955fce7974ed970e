"""What `conf/` offers, read without Hydra."""

import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from speechgru.options.component import PARTIAL, TARGET, Component
from speechgru.options.config_file import read_config
from speechgru.ranges import OptionError, nearest

_INSTALLED = Path(__file__).parents[1] / "conf"

CONF_DIR = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[2] / "conf"
"""Inside the package in a wheel, beside it in a checkout."""


PROJECT_FILE = "speechgru.yaml"
"""In a folder with it, commands find the choices of its `conf/` beside these."""

FORMER = {("decoder", "beam"): "flashlight"}
"""Choices that have another name now."""


def default_data_dir() -> Path:
    """Where corpora lie: the folder SPEECHGRU_DATA, or `data`."""
    return Path(os.environ.get("SPEECHGRU_DATA", "data"))


def chosen(group: str, name: str) -> Callable[[], Component]:
    """What makes a choice, as the default of a field."""
    return partial(choose, group, name)


def choices(group: str, conf_dir: Path = CONF_DIR) -> list[str]:
    """Names of the choices of a group: ours, or those of another `conf/`."""
    folder = conf_dir / group
    names = (
        path.relative_to(folder).with_suffix("").as_posix()
        for path in folder.rglob("*.yaml")
    )
    return sorted(name for name in names if not name.startswith("_"))


def choose(
    group: str, name: str, data_dir: str | Path = "data", **options: Any
) -> Component:
    """The component that a choice of `conf/` describes.

    Args:
        group: e.g. "encoder".
        name: of the choice, e.g. "gru".
        data_dir: where corpora lie.
        options: what is to be otherwise than in the choice.

    Raises:
        OptionError: there is no such choice, or it has no such option.

    Examples:
        >>> choose("encoder", "gru", hidden_size=256).options["hidden_size"]
        256
    """
    values = read_choice(group, name)
    known = [key for key in values if key not in (TARGET, PARTIAL)]
    for key in options:
        if key not in known:
            raise OptionError(
                f"{group}={name} has no option {key!r}; it takes: "
                f"{', '.join(known) or 'none'}{nearest(key, known)}"
            )
    component = Component.read(_fill_in(values, str(data_dir)), group)
    return component.replace(**options)


def read_choice(group: str, name: str) -> dict[str, Any]:
    """The options of a choice, with those of the choices that it is based on.

    Raises:
        OptionError: there is no such choice.
    """
    values = read_config(find_choice(group, name))
    merged: dict[str, Any] = {}
    bases = values.pop("defaults", [])
    for base in bases:
        merged |= values if base == "_self_" else read_choice(group, base)
    return merged if "_self_" in bases else merged | values


def find_choice(group: str, name: str) -> Path:
    """The YAML of a choice.

    Raises:
        OptionError: there is no such choice.
    """
    path = CONF_DIR / group / f"{name}.yaml"
    if not path.is_file():
        known = choices(group)
        if (group, name) in FORMER:
            raise OptionError(f"{group}={name} is {group}={FORMER[group, name]} now")
        raise OptionError(
            f"{group}={name}: expected one of: {', '.join(known)}{nearest(name, known)}"
        )
    return path


def _fill_in(value: Any, data_dir: str) -> Any:
    if isinstance(value, dict):
        return {key: _fill_in(each, data_dir) for key, each in value.items()}
    if isinstance(value, str):
        return re.sub(r"\$\{data_dir\}", lambda _: data_dir, value)
    return value
