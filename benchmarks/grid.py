"""A grid of training runs that differ by some options, read from YAML.

recipe: an4/bigru
corpus: [corpus=an4]
folder: runs/an4/ablation
options: [...]           # of all rows
parts:                   # what rows can be based on, and is no row
  NAME: {options: [...]}
rows:                    # in order; every row is compared with the first
  NAME: {epochs: 30, based_on: [NAME, ...], options: [...]}
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from speechgru.interfaces import InputError
from speechgru.options.config_file import read_config
from speechgru.ranges import EPOCHS, nearest

TOP = ("recipe", "corpus", "folder", "options", "parts", "rows")
PART = ("based_on", "options")
ROW = ("epochs", *PART)


@dataclass(frozen=True)
class Row:
    """One training run.

    Attributes:
        name: of the row, and of the run's folder.
        epochs: of training.
        options: of `train`, as KEY=VALUE, beyond those of all rows; what the row is
            based on comes first, and of two values the last one counts.
    """

    name: str
    epochs: int
    options: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """Rows to be trained and compared.

    Attributes:
        recipe: that all rows train.
        corpus: options that choose the corpus, on any command.
        folder: of all runs.
        options: of `train`, of all rows.
        rows: by name, in their order.
    """

    recipe: str
    corpus: tuple[str, ...]
    folder: Path
    options: tuple[str, ...]
    rows: Mapping[str, Row]

    def choose(self, names: Iterable[str]) -> list[Row]:
        """Rows in their order.

        Args:
            names: of those wanted; none: all of them.

        Raises:
            InputError: there is no such row.
        """
        wanted = set(names)
        for name in wanted:
            _check_known(name, self.rows, "row")
        return [row for name, row in self.rows.items() if not wanted or name in wanted]


def read_grid(path: Path) -> Grid:
    """Read a grid. Raises InputError: it is none; the message names the row."""
    values = read_config(path)
    where = str(path)
    _check_keys(values, TOP, where)
    for key in ("recipe", "corpus", "folder", "rows"):
        if key not in values:
            raise InputError(f"{where}: has no {key}; add it")
    entries = {}
    for group, keys in (("parts", PART), ("rows", ROW)):
        for name, entry in _mapping(values.get(group, {}), f"{where}: {group}").items():
            if name in entries:
                raise InputError(f"{where}: {name} is a part and a row; rename one")
            _check_keys(_mapping(entry, f"{where}: {name}"), keys, f"{where}: {name}")
            entries[name] = entry
    rows = {
        name: Row(
            name,
            _epochs(entry, f"{where}: {name}"),
            tuple(_options_of(name, entries, where)),
        )
        for name, entry in values["rows"].items()
    }
    if not rows:
        raise InputError(f"{where}: has no rows, expected one or more")
    return Grid(
        recipe=str(values["recipe"]),
        corpus=tuple(_texts(values, "corpus", where)),
        folder=Path(str(values["folder"])),
        options=tuple(_texts(values, "options", where)),
        rows=rows,
    )


def _options_of(
    name: str, entries: Mapping[str, Any], where: str, above: tuple[str, ...] = ()
) -> list[str]:
    """Those of what a row or part is based on, then its own."""
    if name in above:
        raise InputError(f"{where}: {name} is based on itself, by {' > '.join(above)}")
    options: list[str] = []
    for base in _texts(entries[name], "based_on", f"{where}: {name}"):
        _check_known(base, entries, f"part or row for {name} to be based on")
        options += _options_of(base, entries, where, (*above, name))
    return options + _texts(entries[name], "options", f"{where}: {name}")


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(f"{where} is {value!r}, expected names with values")
    return value


def _texts(entry: Mapping[str, Any], key: str, where: str) -> list[str]:
    values = entry.get(key, [])
    if not isinstance(values, list) or not all(
        isinstance(each, str) for each in values
    ):
        raise InputError(f"{where}: {key} is {values!r}, expected a list of texts")
    return values


def _epochs(entry: Mapping[str, Any], where: str) -> int:
    epochs = entry.get("epochs")
    if epochs not in EPOCHS:
        raise InputError(f"{where}: epochs is {epochs!r}, expected {EPOCHS}")
    return epochs


def _check_keys(values: Mapping[str, Any], keys: Iterable[str], where: str) -> None:
    for key in values:
        if key not in keys:
            raise InputError(
                f"{where}: unknown key {key!r}, expected: {', '.join(keys)}"
                f"{nearest(str(key), keys)}"
            )


def _check_known(name: str, known: Iterable[str], what: str) -> None:
    if name not in known:
        raise InputError(
            f"{name!r} is no {what}, expected one of: {', '.join(known)}"
            f"{nearest(name, known)}"
        )
