"""What a checkpoint's file may consist of, seen before torch loads it.

`torch.load(weights_only=True)` runs no code, but a few bytes can ask it for all
the memory: a compressed record, a `bytearray` of any length, a million empty
lists. What torch writes has none of these.
"""

import io
import pickle
import pickletools
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from speechgru.interfaces import InputError

MOST_PICKLE = 16 << 20
"""Bytes of all that is not a tensor; a large vocabulary has one million."""

MOST_STEPS = 600_000
"""Instructions of a pickle; a tensor takes some 25, a word 2."""

PLAIN = re.compile(
    r"collections OrderedDict"
    r"|torch\._utils _rebuild_(tensor_v2|parameter)"
    r"|torch\.storage UntypedStorage"
    r"|torch (Size|device|\w+Storage|b?float\d+|u?int\d+|bool)"
)
"""What a pickle of tensors and plain values refers to, of all that torch allows."""

NUM_PICKLES = 5
"""At the start of a file of the format before torch 1.6."""


def check_file(path: Path) -> None:
    """See that a file can be loaded in little more memory than it takes itself.

    The checksums of its records are compared, too.

    Raises:
        InputError: it is damaged, or made to take all the memory or to run code.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        # As torch tells the two formats apart; zipfile would look at the end.
        if file.read(4) != b"PK\3\4":
            file.seek(0)
            _check_pickles(file.read(MOST_PICKLE), NUM_PICKLES)
            return
    with zipfile.ZipFile(path) as archive:
        _check_list(path, archive.start_dir)
        _check_records(archive.infolist(), path.stat().st_size)
        for record in archive.infolist():
            if record.filename.endswith("data.pkl"):
                _check_pickles(archive.read(record), 1)
        damaged = archive.testzip()
    if damaged is not None:
        raise InputError(unreadable(f"its record {damaged!r} is damaged"))


def unreadable(why: str) -> str:
    """The message for a file that cannot be read."""
    return (
        f"cannot be read as a checkpoint ({why}); it is truncated or another kind of "
        "file: copy it again"
    )


def forbidden(name: str) -> str:
    """The message for a file that refers to something else than tensors."""
    danger = "fill the memory" if name.endswith("bytearray") else "run code"
    return (
        f"holds {name}, expected nothing but tensors and plain values; refused, "
        f"since loading it could {danger}"
    )


def why_unreadable(error: Exception) -> str:
    """The message for an error of reading a file."""
    named = re.search(r"GLOBAL ([\w.]+)", str(error))
    if isinstance(error, pickle.UnpicklingError) and named:
        return forbidden(named[1])
    # The error around the first one advises to load without protection.
    cause = error.__context__ if isinstance(error, pickle.UnpicklingError) else error
    return unreadable(summarise(cause or error))


def summarise(error: BaseException) -> str:
    """The first line that says something, e.g. which weight does not fit."""
    lines = [line.strip() for line in str(error).splitlines()] or [""]
    if lines[0].endswith(":") and len(lines) > 1:
        return lines[1]
    if " " not in lines[0]:
        return f"{type(error).__name__} {lines[0]}".strip()
    return lines[0].partition(". ")[0]


def _check_list(path: Path, start: int) -> None:
    """See that there is one list of records only, where torch looks for it, too.

    Args:
        path: of the file.
        start: where zipfile found the list.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 98))  # end of the list in 64 bits, where it is, in 32
        end = file.read()
    found = int.from_bytes(end[-6:-2], "little")
    place = size - 98
    if end[-42:-38] == b"PK\6\7":
        place = int.from_bytes(end[-34:-26], "little")
        found = int.from_bytes(end[48:56], "little")
    if (
        end[-22:-18] != b"PK\5\6"
        or end[-2:] != b"\0\0"
        or (found, place) != (start, size - 98)
    ):
        raise InputError(unreadable("it has something behind its records"))


def _check_records(records: list[zipfile.ZipInfo], size: int) -> None:
    for record in records:
        if record.compress_type != zipfile.ZIP_STORED or record.flag_bits & 1:
            raise InputError(
                f"its record {record.filename[:80]!r} is compressed or encrypted, "
                "expected records as torch stores them; refused, since loading it "
                "could fill the memory"
            )
        is_pickle = record.filename.endswith("data.pkl")
        if is_pickle and record.file_size > MOST_PICKLE:
            raise InputError(_too_large())
    total = sum(record.file_size for record in records)
    if total > size:
        raise InputError(
            unreadable(f"its records have {total} bytes, the file only {size}")
        )


def _check_pickles(content: bytes, number: int) -> None:
    """Follow the instructions of pickles without obeying them."""
    steps = 0
    stream = io.BytesIO(content)
    for _ in range(number):
        try:
            for name in _find_names(stream):
                steps += 1
                if steps > MOST_STEPS:
                    raise InputError(_too_large())
                if name and not PLAIN.fullmatch(name):
                    raise InputError(forbidden(name.replace(" ", ".")))
        except InputError:
            raise
        except ValueError as error:
            if len(content) == MOST_PICKLE:
                raise InputError(_too_large()) from error
            raise InputError(unreadable(str(error)[:80])) from error


def _find_names(stream: io.BytesIO) -> Iterator[str | None]:
    """For every instruction, the name that it refers to, as "module name"."""
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name == "GLOBAL":
            yield argument
        elif opcode.name in ("STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4"):
            raise ValueError("its names are written in another way than torch's")
        else:
            yield None


def _too_large() -> str:
    return (
        f"describes itself in more than {MOST_PICKLE >> 20} MiB or "
        f"{MOST_STEPS} instructions, expected some thousand; refused, since loading "
        "it could fill the memory"
    )
