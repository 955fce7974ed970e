"""Files written whole or not at all, and JSON Lines read with their mistakes named."""

import codecs
import contextlib
import json
import math
import os
import re
import secrets
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import orjson

from speechgru.bounded import read_unpacked
from speechgru.interfaces import InputError
from speechgru.records import show

MOST_LISTED = 20
"""Problems in one message."""

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

Item = TypeVar("Item")


def replace_file(path: str | os.PathLike[str], content: bytes | memoryview) -> None:
    """Write a file so that, whatever happens, `path` is whole: old or new.

    Raises:
        InputError: the file cannot be written; an older one stays.
    """
    replace_by_parts(path, [content])


def replace_by_parts(
    path: str | os.PathLike[str], parts: Iterable[bytes | memoryview]
) -> None:
    """Write a file of any size as `replace_file` does, part by part.

    Raises:
        InputError: the file cannot be written; an older one stays, as it does
            after any error of `parts`.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path}: is a folder, expected a file; name a file in it")
    # Not by tempfile, whose files nobody else in a lab could read. Not by the whole
    # name, which may be as long as names can be.
    temporary = path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}")
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as file:  # a device, never to be replaced
                file.writelines(parts)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        kept = "; the older file is kept" if os.path.exists(path) else ""
        raise InputError(
            f"{path}: cannot be written ({reason(error)}){kept}; free some space, "
            "or check the folder's permissions"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def write_json_lines(
    path: str | os.PathLike[str], records: Iterable[Mapping[str, Any]]
) -> None:
    """Write one JSON object a line, whole or not at all.

    Raises:
        InputError: the file cannot be written; an older one stays.
    """
    replace_by_parts(path, (to_json(record) + b"\n" for record in records))


def to_json(value: Any, indent: int | None = None) -> bytes:
    """Strict JSON as UTF-8; a number that is not finite becomes null."""
    text = json.dumps(_finite(value), ensure_ascii=False, indent=indent)
    try:
        return text.encode()
    except UnicodeEncodeError:  # a file name that is no UTF-8
        return json.dumps(_finite(value), indent=indent).encode()


def beside(path: Path, extension: str) -> Path:
    """The file that belongs to a .jsonl file, or to one of any other name."""
    return path.with_name(path.name.removesuffix(".jsonl") + extension)


def read_json_lines(
    path: str | os.PathLike[str],
    parse: Callable[[dict[str, Any]], Item],
    get_id: Callable[[Item], str],
    kind: str,
    origin: str,
) -> list[Item]:
    """Read a file of one JSON object a line.

    A byte order mark, Windows line ends, blank lines and gzip are accepted.

    Args:
        path: of the file.
        parse: makes an item of an object; what it raises as InputError is
            told with file and line.
        get_id: what may not occur twice.
        kind: of the file, e.g. "a manifest".
        origin: the command that makes such a file.

    Raises:
        InputError: no such file, nothing in it, or bad lines: up to 20 are
            listed, each as file:line, with the total.
    """
    path = Path(path)
    try:
        content = read_unpacked(path)
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise InputError(
            f"{path}: cannot be read ({reason(error)}), expected {kind}; "
            f"correct the path, or make it with: {origin}"
        ) from error
    _, content = skip_mark(content, path)
    items: list[Item] = []
    problems: list[str] = []
    first_lines: dict[str, int] = {}
    # Not splitlines: it also splits at U+2028 and others inside transcripts.
    lines = content.split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            item = parse(parse_object(line))
        except InputError as error:
            problems.append(f"{path}:{number}: {error}")
            continue
        first = first_lines.setdefault(get_id(item), number)
        if first != number:
            problems.append(f"{path}:{number}: {repeated_id(get_id(item), first)}")
        items.append(item)
    if problems:
        raise InputError(list_problems(problems, path, len(problems)))
    if not items:
        raise InputError(
            f"{path}: holds no utterances, expected at least one line of JSON; "
            "make it anew"
        )
    return items


def skip_mark(content: bytes, path: Path) -> tuple[int, bytes]:
    """Take the byte order mark off the start of a file; and its size in bytes.

    Raises:
        InputError: the mark is that of UTF-16.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(
            f"{path}: is UTF-16 text, expected UTF-8; save the file as UTF-8"
        )
    rest = content.removeprefix(codecs.BOM_UTF8)
    return len(content) - len(rest), rest


def repeated_id(id: str, first: int) -> str:
    """What is said of a line whose id the line of a number has already."""
    return (
        f"id '{id}' is also that of line {first}, expected unique ids; give each line "
        "its own id"
    )


def list_problems(
    problems: Sequence[str], path: Path | str, total: int, kind: str = "bad lines"
) -> str:
    """Up to 20 problems of a file, each of which names its line, of so many."""
    if total == 1:
        return problems[0]
    listed = problems[:MOST_LISTED]
    rest = [f"... and {total - len(listed)} more"] if total > len(listed) else []
    return "\n".join([f"{path}: {total} {kind}", *listed, *rest])


def read_lines(path: str | os.PathLike[str], kind: str) -> list[str]:
    """Read a file of UTF-8 text, without its line ends and byte order mark.

    One that is compressed by gzip is read as what it holds.

    Args:
        path: of the file.
        kind: of the file, e.g. "an ARPA file"; for messages.

    Raises:
        InputError: the file cannot be read, or is not UTF-8.
    """
    try:
        text = read_unpacked(path).decode("utf-8-sig")
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise InputError(
            f"{path}: cannot be read ({reason(error)}), expected {kind} in UTF-8; "
            "correct the path, or save the file as UTF-8"
        ) from error
    # Not splitlines: it also splits at U+2028 and others inside sentences.
    return [line.removesuffix("\r") for line in text.split("\n")]


def relative_path(path: Path, folder: Path) -> str:
    """How to write `path` in a file of `folder`, so that both can be moved.

    It is absolute where they have no folder in common: neither moves with the other.
    """
    path, folder = path.absolute(), folder.absolute()
    if path.is_relative_to(folder):
        return path.relative_to(folder).as_posix()
    # ".." is only meaningful between real folders.
    path = path.parent.resolve() / path.name
    folder = folder.resolve()
    try:
        if os.path.commonpath([path, folder]) == path.anchor != str(folder):
            return path.as_posix()
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()


def printable(text: str) -> str:
    """Text that stays on its line and cannot steer a terminal, for people.

    Control characters, other ends of lines, changes of direction, and bytes of a
    file name that are no UTF-8 are escaped.

    >>> printable("a\\nb")
    'a\\\\nb'
    """
    return _UNPRINTABLE.sub(_escape, text)


def file_state(path: str | os.PathLike[str] | int) -> tuple[int, int]:
    """Size and time of a file, or an open one: other ones tell that it has changed.

    Raises:
        OSError: it cannot be looked at.
    """
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns


def reason(error: Exception) -> str:
    """What the system says."""
    return getattr(error, "strerror", None) or str(error)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:  # how Python holds such a byte
        return f"\\x{code - 0xDC00:02x}"
    return found[0].encode("unicode_escape").decode()


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def parse_object(line: bytes) -> dict[str, Any]:
    """Read one object of JSON. Raises InputError."""
    try:
        record = orjson.loads(line)
    except ValueError:
        record = _parse_slowly(line)
    if not isinstance(record, dict):
        raise InputError(
            f"{show(record)} is not an object, expected one JSON object a line; "
            "correct the line"
        )
    return record


def _parse_slowly(line: bytes) -> Any:
    """What orjson does not take: NaN, surrogates; and say what is wrong."""
    try:
        return json.loads(line.decode())
    except UnicodeDecodeError as error:
        raise InputError(
            f"not UTF-8 text (byte {line[error.start]:#04x}), expected UTF-8; "
            "save the file as UTF-8"
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"not JSON ({error}), expected one JSON object a line; correct the line"
        ) from error
