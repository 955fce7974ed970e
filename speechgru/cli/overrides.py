"""KEY=VALUE as people type it, in the words of Hydra's grammar."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from speechgru.cli.main import UsageError

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

PATHS = frozenset(
    {
        *("archive", "audio_folder", "checkpoint", "data_dir", "dev", "dir", "folder"),
        *("init_from", "lexicon", "lm", "output", "rescore", "root", "runs_dir"),
        *("source", "test", "train"),
    }
)
"""Last parts of the names of options that are paths."""


def underscored(argument: str) -> str | None:
    """The name of an option that was typed with hyphens, as it should be."""
    name = argument.partition("=")[0].lstrip("~+")
    is_meant = "=" in argument and "-" in name[1:] and not name.startswith("-")
    return name.replace("-", "_") if is_meant else None


def check_key(argument: str) -> None:
    """See that the name of an option can be one.

    Raises:
        UsageError: there is no name, or one with hyphens for underscores.
    """
    if not argument.partition("=")[0].lstrip("~+"):
        raise UsageError(f"{argument!r} names no option, expected KEY=VALUE")
    if meant := underscored(argument):
        raise UsageError(
            f"{argument!r}: names of options have underscores, expected {meant}=VALUE; "
            "put -- before a file of this name"
        )


def settle(overrides: Sequence[str], sweeps: bool = False) -> list[str]:
    """Quote the values that Hydra's grammar would not take as they are meant.

    A path is taken as it is if it exists, and so is what the grammar cannot
    read. In a list the elements are.

    Args:
        overrides: as typed.
        sweeps: whether A,B is a sweep, as with -m.
    """
    return [_settle(override, sweeps) for override in overrides]


def _settle(override: str, sweeps: bool) -> str:
    key, _, value = override.partition("=")
    if key.startswith("~") or not value:
        return override
    is_path = re.split(r"[./]", key)[-1] in PATHS
    exists = is_path and os.path.lexists(value)
    if is_path and value.startswith("~") and not exists:
        value = os.path.expanduser(value)
    read = _read(value)
    if read is None:
        inside = re.fullmatch(r"\[([^\[\]{}'\"]*)\]", value)
        if inside and not exists:
            elements = [quote(each.strip()) for each in inside[1].split(",")]
            return f"{key}=[{','.join(elements)}]"
        return f"{key}={quote(value, literal=exists)}"
    if not is_path or read.value() is None:
        return f"{key}={value}"
    if exists and (read.value() != value or "${" in value):
        return f"{key}={quote(value, literal=True)}"
    is_number = type(read.value()) in (int, float)
    if is_number or (read.is_sweep_override() and not sweeps):
        return f"{key}={quote(value)}"
    return f"{key}={value}"


def quote(text: str, literal: bool = False) -> str:
    """Quote a text for Hydra's grammar.

    Args:
        text: any.
        literal: ${ is no interpolation either.
    """
    from hydra.core.override_parser.types import Quote, QuotedString

    if literal:
        text = re.sub(r"(\\*)\$\{", r"\1\1\\${", text)
    return QuotedString(text, Quote.single).with_quotes()


def _read(value: str) -> Override | None:
    """The override that a value makes, or None if Hydra cannot read it."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        return OverridesParser.create().parse_override(f"key={value}")
    except HydraException:
        return None
