"""Files of text that may be huge, line by line, with their mistakes named."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from speechgru.bounded import GZIP, open_file
from speechgru.files import reason
from speechgru.interfaces import InputError
from speechgru.records import show

LONGEST_LINE = 16 << 20
"""Bytes; the text of no utterance has as many."""


def read_numbered(
    path: Path, kind: str, encoding: str = "utf-8"
) -> Iterator[tuple[int, str]]:
    """Lines with their numbers from 1 on, without their ends and a byte order mark.

    A file that gzip has compressed is read as what it holds.

    Args:
        path: of the file.
        kind: of the file, e.g. "a table"; for messages.
        encoding: one in which a line ends with the byte 10.

    Raises:
        InputError: the file cannot be read, or a line is too long, or not of this
            encoding, or holds a zero byte.
    """
    for number, line in enumerate(_read_lines(path, kind), start=1):
        if number == 1:
            if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise InputError(
                    f"{path}: is UTF-16 text, expected {kind} in {encoding.upper()}; "
                    "save the file as UTF-8"
                )
            if codecs.lookup(encoding).name == "utf-8":
                line = line.removeprefix(codecs.BOM_UTF8)
        if b"\0" in line:
            raise InputError(
                f"{path}:{number}: holds a zero byte, as UTF-16 text and files of no "
                f"text do, expected {kind} in {encoding.upper()}; save the file as "
                "UTF-8"
            )
        try:
            yield number, line.decode(encoding)
        except UnicodeDecodeError as error:
            found = f"byte {error.start} of the line is {line[error.start]:#04x}"
            raise InputError(
                f"{path}:{number}: not {encoding.upper()} text ({found}), expected "
                f"{kind} in {encoding.upper()}; save the file as UTF-8"
            ) from error


def read_objects(path: Path, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Objects of a file of JSON, one a line, each with its place, file:line.

    Raises:
        InputError: as `read_numbered`; or a line holds no object.
    """
    for number, line in read_numbered(path, kind):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            record = orjson.loads(line)
        except ValueError as error:
            raise InputError(
                f"{place}: not JSON ({error}), expected {kind}, one JSON object a "
                "line; correct the line"
            ) from error
        if not isinstance(record, dict):
            raise InputError(
                f"{place}: {show(record)} is not an object, expected {kind}, one JSON "
                "object a line; correct the line"
            )
        yield place, record


def _read_lines(path: Path, kind: str) -> Iterator[bytes]:
    try:
        with open_file(path) as plain:
            is_packed = plain.read(2) == GZIP
            plain.seek(0)
            with gzip.open(plain) if is_packed else plain as file:
                while line := file.readline(LONGEST_LINE + 1):
                    if len(line) > LONGEST_LINE:
                        raise OSError(0, f"a line of more than {LONGEST_LINE} bytes")
                    yield line.removesuffix(b"\n").removesuffix(b"\r")
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise InputError(
            f"{path}: cannot be read ({reason(error)}), expected {kind}; correct the "
            "path, or save the file anew"
        ) from error
