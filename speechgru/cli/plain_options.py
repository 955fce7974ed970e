"""Options so plain that they mean the same without Hydra, whose import takes long."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Any, TypeVar, get_args

from speechgru.cli.overrides import PATHS
from speechgru.options.component import Component
from speechgru.options.fields import PARTS, Options, hints

Command = TypeVar("Command", bound=Options)

_OVERRIDE = re.compile(r"([a-z_]+)=(.+)")
_WORD = r"(?:(?:\.{0,2}/)?[A-Za-z_][\w./-]*|\d+/\d+)"
_LIST = re.compile(rf"\[({_WORD}(?:,{_WORD})*)\]")
_NUMBER = re.compile(r"(?:0|[1-9]\d{0,8})(?:\.\d{1,9})?")
_BOOLEANS = {"true": True, "false": False}
_SPECIAL = {"null", "nan", "inf", *_BOOLEANS}
"""Words that Hydra's grammar takes for something else, in any case."""


class _NotPlainError(Exception):
    """Only Hydra knows what is meant."""


def read_plain(command: type[Command], overrides: Sequence[str]) -> Command | None:
    """Read options that are words, numbers, true, false, or lists of words.

    Args:
        command: whose options they are; each has the default that conf/ gives it.
        overrides: as typed.

    Returns:
        None: one of them is not so plain, or is a choice, or is missing.

    Raises:
        OptionError: an option is not what it may be.
    """
    try:
        return command.read(dict(_read_all(command, overrides)))
    except _NotPlainError:
        return None


def _read_all(command: type[Options], overrides: Sequence[str]) -> dict[str, Any]:
    fields = {field.name: field for field in dataclasses.fields(command)}
    values: dict[str, Any] = {}
    for override in overrides:
        found = _OVERRIDE.fullmatch(override)
        if found is None or found[1] not in fields or found[1] in values:
            raise _NotPlainError
        name, text = found.groups()
        if not _is_plain(hints(command)[name]):
            raise _NotPlainError
        values[name] = _read_value(text)
        # A path may look like anything else; its name is then put into quotes.
        if name in PATHS and not isinstance(values[name], str):
            raise _NotPlainError
    missing = dataclasses.MISSING
    for name, field in fields.items():
        is_needed = field.default is missing and field.default_factory is missing
        if is_needed and name not in values:
            raise _NotPlainError
    return values


def _is_plain(hint: Any) -> bool:
    kinds = get_args(hint) if hint != PARTS else (Component,)
    return not any(
        isinstance(kind, type) and issubclass(kind, (Component, Options))
        for kind in (hint, *kinds)
    )


def _read_value(text: str) -> Any:
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    if found := _LIST.fullmatch(text):
        words = found[1].split(",")
        if not {word.lower() for word in words} & _SPECIAL:
            return words
    if re.fullmatch(_WORD, text) and text.lower() not in _SPECIAL:
        return text
    raise _NotPlainError
