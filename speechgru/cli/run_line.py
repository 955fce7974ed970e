"""The command lines of commands to which a run folder says what its corpus is."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from speechgru.cli.config import OVERRIDE, CommandLine, read_command_line
from speechgru.cli.overrides import check_key, settle
from speechgru.options.corpus import LmOptions
from speechgru.options.evaluation import EvaluateOptions, TuneOptions

if TYPE_CHECKING:
    from speechgru.runs.known import Changes

Command = TypeVar("Command", EvaluateOptions, TuneOptions, LmOptions)


def read_run_line(
    command: type[Command],
    arguments: Sequence[str],
    usage: str,
    num_positional: tuple[int, int],
) -> "tuple[CommandLine[Command], Changes]":
    """Read a command line; see `read_command_line`.

    Without corpus=NAME, corpus.OPTION=VALUE and data_dir=FOLDER change what the run
    says of its corpus. Hydra does not know that.

    Returns:
        The command line, and what it changes of the run's corpus.
    """
    names_corpus = any(argument.startswith("corpus=") for argument in arguments)
    rest = list(arguments)
    withheld: list[str] = []
    if not names_corpus:
        end = rest.index("--") if "--" in rest else len(rest)
        withheld = [each for each in rest[:end] if _is_of_corpus(each)]
        rest = [each for each in rest[:end] if each not in withheld] + rest[end:]
    line = read_command_line(command, rest, usage, num_positional)
    from speechgru.runs.known import Changes

    is_moved = any(argument.startswith("data_dir=") for argument in rest)
    data_dir = line.options.data_dir if is_moved else None
    return line, Changes(_read_values(withheld), data_dir)


def _is_of_corpus(argument: str) -> bool:
    return argument.startswith("corpus.") and bool(OVERRIDE.match(argument))


def _read_values(overrides: Sequence[str]) -> dict[str, Any]:
    """Values by the names of the corpus' options."""
    if not overrides:
        return {}
    from hydra.core.override_parser.overrides_parser import OverridesParser

    for override in overrides:
        check_key(override)
    parsed = OverridesParser.create().parse_overrides(settle(overrides))
    return {each.key_or_group.removeprefix("corpus."): each.value() for each in parsed}
