"""What `conf/` offers, read without Hydra."""

import os
import re
from collections.abc import Callable, Sequence
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


def choices(group: str, folders: Sequence[Path] = (CONF_DIR,)) -> list[str]:
    """Names of the choices of a group, those of the first `conf/` in front."""
    names = (
        path.relative_to(folder / group).with_suffix("").as_posix()
        for folder in folders
        for path in sorted((folder / group).rglob("*.yaml"))
    )
    return list(dict.fromkeys(name for name in names if not name.startswith("_")))


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
    return _read_with_bases(find_choice(group, name))


def _read_with_bases(path: Path) -> dict[str, Any]:
    values = read_config(path)
    merged: dict[str, Any] = {}
    bases = values.pop("defaults", [])
    for base in bases:
        own = base == "_self_"
        merged |= values if own else _read_with_bases(path.with_name(f"{base}.yaml"))
    return merged if "_self_" in bases else merged | values


def find_choice(group: str, name: str, folders: Sequence[Path] = (CONF_DIR,)) -> Path:
    """The YAML of a choice, in the first `conf/` that has it.

    Raises:
        OptionError: there is no such choice.
    """
    known = choices(group, folders)
    if name in known:
        return find_yaml(group, name, folders)
    if (group, name) in FORMER:
        raise OptionError(f"{group}={name} is {group}={FORMER[group, name]} now")
    raise OptionError(
        f"{group}={name}: expected one of: {', '.join(known)}{nearest(name, known)}"
    )


def find_yaml(group: str, name: str, folders: Sequence[Path]) -> Path:
    """The YAML of what is a choice, or what choices are based on, in the first."""
    paths = (folder / group / f"{name}.yaml" for folder in folders)
    return next(path for path in paths if path.is_file())


def _fill_in(value: Any, data_dir: str) -> Any:
    if isinstance(value, dict):
        return {key: _fill_in(each, data_dir) for key, each in value.items()}
    if isinstance(value, str):
        return re.sub(r"\$\{data_dir\}", lambda _: data_dir, value)
    return value
