"""Tables of tab-separated values in which quotes are a part of the text."""

import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from speechgru.bounded import open_file
from speechgru.files import printable, reason
from speechgru.interfaces import InputError
from speechgru.ranges import nearest

_log = logging.getLogger(__name__)

LONGEST_LINE = 1 << 20
"""Bytes; a sentence is never so long, and memory has an end."""

_DOUBLED = re.compile('"(?:[^"]|"")*"')


def read_tsv(
    path: Path, columns: Sequence[str]
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Read some columns of a table that begins with their names.

    A quote is a character like any other, also one alone. Where some program has
    written the table anew and doubled the quotes of every field that has any, this
    is undone, and said. Lines end with a line feed only: other ends of lines occur
    inside of sentences.

    Args:
        path: of the table, in UTF-8.
        columns: whose values to take; there may be others.

    Yields:
        The number of a line, from 2 on, and its values in the order of `columns`.

    Raises:
        InputError: it cannot be read, lacks a column, or a line has more or fewer
            fields than there are columns.
    """
    doubled = _has_doubled_quotes(path)
    if doubled:
        _log.info('%s: its quotes are doubled, "" is read as "', path)
    lines = _read_lines(path)
    names = _split(next(lines, (1, ""))[1])
    missing = [column for column in columns if column not in names]
    if missing:
        raise InputError(
            f"{path}: no column {missing[0]}, expected {', '.join(columns)}; found "
            f"{printable(', '.join(names))[:200]}{nearest(missing[0], names)}"
        )
    places = [names.index(column) for column in columns]
    for number, line in lines:
        if not line:
            continue
        fields = _split(line)
        if len(fields) != len(names):
            raise InputError(
                f"{path}:{number}: {len(fields)} fields, expected {len(names)} between "
                "tabs; take the original release, or correct the line"
            )
        if doubled:
            fields = [_undouble(field) for field in fields]
        yield number, tuple(fields[place] for place in places)


def _has_doubled_quotes(path: Path) -> bool:
    """Whether every field with a quote is written as CSV has it, and some are.

    Such a field stands in quotes and has a doubled one inside, for without a quote
    inside it would need none outside.
    """
    found = False
    for _, line in _read_lines(path):
        for field in _split(line) if '"' in line else ():
            if '"' in field:
                if not _is_doubled(field):
                    return False
                found = True
    return found


def _is_doubled(field: str) -> bool:
    return '""' in field[1:-1] and _DOUBLED.fullmatch(field) is not None


def _undouble(field: str) -> str:
    return field[1:-1].replace('""', '"') if _is_doubled(field) else field


def _split(line: str) -> list[str]:
    return line.split("\t")


def _read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, without their ends and a byte order mark."""
    number = 0
    try:
        with open_file(path) as file:
            while line := file.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE:
                    raise InputError(
                        f"{path}:{number}: a line of {LONGEST_LINE} bytes or more, "
                        "expected a table of sentences; take the original release"
                    )
                # A byte order mark can only stand at the start.
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                yield number, text.removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: cannot be read ({reason(error)}), expected a table in UTF-8; "
            "take the original release"
        ) from error
