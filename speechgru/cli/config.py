"""Reading the command line and composing the configuration with Hydra.

Hydra is imported where it composes, so that --help and a usage error do not wait.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from speechgru.cli.help import explain, known_options, nearest_option
from speechgru.cli.main import UsageError
from speechgru.cli.overrides import check_key, settle, underscored
from speechgru.cli.plain_options import read_plain
from speechgru.cli.project_conf import find_project_conf, search_in
from speechgru.options.choices import CONF_DIR
from speechgru.options.config_file import check_folder
from speechgru.options.fields import Options

if TYPE_CHECKING:
    from omegaconf import DictConfig

OVERRIDE = re.compile(r"[~+]{0,2}[A-Za-z_][\w./@]*=")


Command = TypeVar("Command", bound=Options)


@dataclass(frozen=True)
class CommandLine(Generic[Command]):
    """What a command was given.

    Attributes:
        positional: file names and the like, never parsed any further.
        options: composed and checked.
    """

    positional: list[str]
    options: Command


def read_command_line(
    command: type[Command],
    arguments: Sequence[str],
    usage: str,
    num_positional: tuple[int, int],
) -> CommandLine[Command]:
    """Split arguments into positional ones and overrides, and compose.

    An argument that looks like KEY=VALUE is an override unless a file of that
    name exists; all that follows `--` is positional.

    Args:
        command: its options; conf/ has a primary configuration of its name.
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
        if not is_file and underscored(argument) in known_options(command.name):
            check_key(argument)
        if argument in ("--help", "-h"):
            print(explain(command.name, usage, arguments))
            sys.exit(0)
        elif argument == "--cfg" and rest[:1] == ["job"]:
            show = bool(rest.pop(0))
        elif argument == "--config-dir" and rest:
            config_dir = rest.pop(0)
        elif OVERRIDE.match(argument) and not is_file:
            overrides.append(argument)
        elif argument.startswith("-") and argument != "-":
            name = argument.lstrip("-").partition("=")[0].replace("-", "_")
            meant = (
                f"; did you mean {name}=?"
                if name in known_options(command.name)
                else ""
            )
            raise UsageError(
                f"unknown option {argument!r}; options are KEY=VALUE; put -- before "
                "file names that begin with a dash"
                f"{meant or nearest_option(command.name, name)}"
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
    if not show and config_dir is None:
        plain = read_plain(command, overrides)
        if plain is not None:
            return CommandLine(positional, plain)
    config = compose_config(command.name, settle(overrides), config_dir)
    if show:
        from omegaconf import OmegaConf

        print(OmegaConf.to_yaml(config))
        sys.exit(0)
    return CommandLine(positional, read_options(config, command))


def compose_config(
    primary: str,
    overrides: Sequence[str],
    config_dir: str | None = None,
    with_hydra: bool = False,
) -> DictConfig:
    """Compose a primary configuration under `conf/`; also Hydra's own part of it."""
    from hydra import compose, initialize_config_dir

    register_resolvers()
    folders = []
    if config_dir is not None:
        folders.append(Path(config_dir).absolute())
        if not folders[0].is_dir():
            raise UsageError(f"--config-dir {config_dir}: no such folder")
        check_folder(folders[0])
    if (own := find_project_conf()) is not None:
        folders.append(own)
    search = search_in(folders)
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        return compose(primary, [*overrides, *search], return_hydra_config=with_hydra)


def read_options(config: DictConfig, command: type[Command]) -> Command:
    """Make options of what was composed.

    Raises:
        OptionError: an option is not what it may be, or there is no such option.
    """
    from omegaconf import OmegaConf

    plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    assert isinstance(plain, dict)  # as every primary configuration
    return command.read({str(key): value for key, value in plain.items()})


def register_resolvers() -> None:
    """Give the configuration what run folders are named by."""
    from omegaconf import OmegaConf

    OmegaConf.register_new_resolver(
        "recipe_name", lambda name: str(name or "no_recipe"), replace=True
    )
    OmegaConf.register_new_resolver(
        "random_hex", lambda: secrets.token_hex(2), use_cache=True, replace=True
    )
