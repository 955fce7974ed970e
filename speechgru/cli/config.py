"""Reading the command line and composing the configuration with Hydra."""

import os
import re
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from speechgru.cli.help import explain, known_options, nearest_option
from speechgru.cli.main import UsageError
from speechgru.cli.overrides import check_key, quote, settle, underscored
from speechgru.cli.rules import check_options
from speechgru.options.choices import CONF_DIR, choices
from speechgru.options.config_file import check_folder, read_config
from speechgru.ranges import nearest

OVERRIDE = re.compile(r"[~+]{0,2}[A-Za-z_][\w./@]*=")


@dataclass(frozen=True)
class CommandLine:
    """What a command was given.

    Attributes:
        positional: file names and the like, never parsed any further.
        config: composed, resolved, plain.
    """

    positional: list[str]
    config: dict[str, Any]


def read_command_line(
    command: str, arguments: Sequence[str], usage: str, num_positional: tuple[int, int]
) -> CommandLine:
    """Split arguments into positional ones and overrides, and compose.

    An argument that looks like KEY=VALUE is an override unless a file of that
    name exists; all that follows `--` is positional.

    Args:
        command: has a primary configuration of its name.
        arguments: those behind the command.
        usage: printed by --help.
        num_positional: fewest and most positional arguments.
    """
    positional, overrides, show, config_dir = [], [], False, None
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            positional += rest
            break
        is_file = os.path.exists(argument)
        if not is_file and underscored(argument) in known_options(command):
            check_key(argument)
        if argument in ("--help", "-h"):
            print(explain(command, usage, arguments))
            sys.exit(0)
        elif argument == "--cfg" and rest[:1] == ["job"]:
            show = bool(rest.pop(0))
        elif argument == "--config-dir" and rest:
            config_dir = rest.pop(0)
        elif OVERRIDE.match(argument) and not is_file:
            overrides.append(argument)
        elif argument.startswith("-") and argument != "-":
            name = argument.lstrip("-").partition("=")[0].replace("-", "_")
            meant = f"; did you mean {name}=?" if name in known_options(command) else ""
            raise UsageError(
                f"unknown option {argument!r}; options are KEY=VALUE; put -- before "
                "file names that begin with a dash"
                f"{meant or nearest_option(command, name)}"
            )
        elif overrides:
            raise UsageError(
                f"{argument!r} stands behind options; file names come first"
            )
        else:
            positional.append(argument)
    fewest, most = num_positional
    if not show and not fewest <= len(positional) <= most:
        raise UsageError(
            f"{len(positional)} arguments, expected "
            f"{fewest if fewest == most else f'at least {fewest}'}\n{usage.strip()}"
        )
    config = compose_config(command, settle(overrides), config_dir)
    if show:
        print(OmegaConf.to_yaml(config))
        sys.exit(0)
    return CommandLine(positional, to_plain(config, command))


def compose_config(
    primary: str, overrides: Sequence[str], config_dir: str | None = None
) -> DictConfig:
    """Compose a primary configuration under `conf/`."""
    register_resolvers()
    search = []
    if config_dir is not None:
        folder = Path(config_dir).absolute()
        if not folder.is_dir():
            raise UsageError(f"--config-dir {config_dir}: no such folder")
        check_folder(folder)
        search = [f"hydra.searchpath=[{quote(f'file://{folder}', literal=True)}]"]
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        return compose(primary, [*overrides, *search])


def to_plain(config: DictConfig, primary: str) -> dict[str, Any]:
    """Resolve to dicts and lists, and refuse keys that nothing obeys."""
    plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    known = read_config(CONF_DIR / f"{primary}.yaml")
    groups: dict[str, str | list[str]] = {}
    for item in known.get("defaults", []):
        if isinstance(item, dict):
            groups |= item
    keys = {key for key in (*known, *groups) if not key.startswith("override ")}
    _refuse_unknown(plain, keys - {"defaults", "hydra"}, "the configuration")
    _refuse_other_types(plain, known)
    for group, choice in groups.items():
        if isinstance(choice, list):
            _refuse_idle_parts(plain.setdefault(group, {}), group)
            continue
        if isinstance(plain.get(group), dict):
            _refuse_idle_options(plain[group], group)
        path = CONF_DIR / group / f"{choice}.yaml"
        default = read_config(path) if path.is_file() else {}
        # A group with a _target_ is checked when that is built.
        if default and "_target_" not in default and group in plain:
            _refuse_unknown(plain[group], set(default), group)
            _refuse_other_types(plain[group], default, f"{group}.")
    check_options(plain)
    return plain


def _refuse_other_types(
    found: Mapping[str, Any], default: Mapping[str, Any], prefix: str = ""
) -> None:
    """Hold numbers and switches against the defaults."""
    accepted = {bool: (bool,), int: (int,), float: (int, float)}
    for key, value in found.items():
        types = accepted.get(type(default.get(key)))
        if types and type(value) not in types:
            raise UsageError(
                f"{prefix}{key} is {value!r}, expected a value like {default[key]!r}"
            )


def _refuse_idle_options(options: Mapping[str, Any], group: str) -> None:
    idle = [key for key in options if key != "_target_"]
    if "_target_" in options and options["_target_"] is None and idle:
        raise UsageError(
            f"{group}.{idle[0]} is set, but {group} is none; choose one of: "
            f"{', '.join(choices(group))}"
        )


def _refuse_idle_parts(parts: Mapping[str, Any], group: str) -> None:
    for name, options in parts.items():
        if not isinstance(options, dict) or "_target_" not in options:
            raise UsageError(
                f"{group}.{name} is set, but {group} has no {name}; choose some of "
                f"{', '.join(choices(group))} as {group}=[A,B]"
            )


def _refuse_unknown(found: Mapping[str, Any], known: set[str], name: str) -> None:
    for key in found:
        if key not in known:
            raise UsageError(
                f"{name} has an unknown option {key!r}; it takes: "
                f"{', '.join(sorted(known))}{nearest(key, known)}"
            )


def register_resolvers() -> None:
    """Give the configuration what run folders are named by."""
    OmegaConf.register_new_resolver(
        "recipe_name", lambda name: str(name or "no_recipe"), replace=True
    )
    OmegaConf.register_new_resolver(
        "random_hex", lambda: secrets.token_hex(2), use_cache=True, replace=True
    )
