"""Configurations in YAML, of which a few lines can ask for all the memory."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from speechgru.bounded import read_whole
from speechgru.files import reason, replace_file
from speechgru.interfaces import InputError

if TYPE_CHECKING:
    _Loader = yaml.SafeLoader
else:
    _Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MOST_CONFIG = 1 << 20
"""Bytes of a file; the largest of ours has four thousand."""

MOST_VALUES = 100_000
"""Once every alias stands for all that it repeats."""

DEEPEST = 50
"""Lists and mappings within each other."""

FLOAT = re.compile(
    r"[-+]?(\d[\d_]*\.[\d_]*|\.\d[\d_]*|\d[\d_]*)([eE][-+]?\d+)?"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
"""As Hydra reads it: 1e-3 is a number, which YAML 1.1 takes for a text."""


class ConfigLoader(_Loader):
    """Read YAML as Hydra does: 1e-3 is a number, a date a text, keys are unique."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        """Raises ConstructorError: a key stands there twice."""
        keys = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and key.value in keys:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands there twice",
                    key.start_mark,
                )  # fmt: skip
            keys.add(key.value)
        return super().construct_mapping(node, deep)


class ConfigDumper(yaml.SafeDumper):
    """Write what `ConfigLoader` reads: texts that look like numbers are quoted."""


for _class in (ConfigLoader, ConfigDumper):
    _resolvers = {
        first: [
            each for each in known if not each[0].endswith((":timestamp", ":float"))
        ]
        for first, known in _class.yaml_implicit_resolvers.items()
    }
    _class.yaml_implicit_resolvers = _resolvers
    _class.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(rf"^(?:{FLOAT.pattern})$"),
        list("-+0123456789."),
    )


def read_config(path: Path) -> dict[str, Any]:
    """Read a configuration from its YAML.

    Raises:
        InputError: the file cannot be read, is something else, or would be too
            large.
    """
    try:
        text = _read_checked(path)
        config = yaml.load(text, ConfigLoader)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise _unreadable(path, error) from error
    config = {} if config is None else config
    if not isinstance(config, dict):
        raise InputError(
            f"{path}: holds a {type(config).__name__}, expected a configuration in "
            "YAML; correct the file, or bring it back"
        )
    return config


def write_config(path: Path, config: Mapping[str, Any]) -> None:
    """Write a configuration of plain values. Raises InputError: it cannot be."""
    text = yaml.dump(
        dict(config), Dumper=ConfigDumper, allow_unicode=True, sort_keys=False
    )
    replace_file(path, text.encode())


def read_config_text(path: Path) -> str:
    """Read a configuration to be shown as it is, with its comments.

    Raises:
        InputError: the file cannot be read, or is too large.
    """
    try:
        return read_whole(path, MOST_CONFIG).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def check_folder(folder: Path) -> None:
    """Look at the YAML of a folder before Hydra composes it.

    Raises:
        InputError: a file cannot be read, or would be too large.
    """
    for path in _find_yaml(folder):
        try:
            _read_checked(path)
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(
        f"{path}: cannot be read ({reason(error)}), expected a configuration in YAML; "
        "correct the file, or bring it back"
    )


def _find_yaml(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in names if name.endswith(".yaml"))


def _read_checked(path: Path) -> str:
    """Raises OSError, ValueError or YAMLError, which say what is wrong."""
    text = read_whole(path, MOST_CONFIG).decode("utf-8-sig")
    _check_size(text)
    return text


def _check_size(text: str) -> None:
    """Count the values of YAML, which builds them level by level from aliases.

    Nine lists of nine aliases each, nine times over, are a billion values.
    """
    sizes: dict[str, int] = {}  # of what is named by an anchor
    total = 0
    open_parts: list[tuple[str | None, int]] = []  # anchor, values before it
    for event in yaml.parse(text, Loader=ConfigLoader):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise ValueError(f"*{event.anchor} is within itself, or named nowhere")
            total += sizes[event.anchor]
        elif isinstance(event, yaml.CollectionStartEvent):
            open_parts.append((event.anchor, total))
            total += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_parts.pop()
            if anchor is not None:
                sizes[anchor] = total - before
        elif isinstance(event, yaml.ScalarEvent):
            total += 1
            if event.anchor is not None:
                sizes[event.anchor] = 1
        if total > MOST_VALUES:
            raise ValueError(f"more than {MOST_VALUES} values")
        if len(open_parts) > DEEPEST:
            raise ValueError(f"nested more than {DEEPEST} levels deep")
