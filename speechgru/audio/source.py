"""What audio can come from, as a stream that can be read at any position."""

import os
import stat
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from speechgru.audio.error import AudioError
from speechgru.bounded import open_file, read_whole
from speechgru.files import printable
from speechgru.interfaces import FilePart, InputError
from speechgru.remote import fetch

AudioSource = str | os.PathLike[str] | bytes | BinaryIO | FilePart


def name_audio(source: AudioSource) -> str:
    """What messages call a source: its path where it has one."""
    if isinstance(source, (str, os.PathLike)):
        return printable(os.fsdecode(source))
    if isinstance(source, FilePart):
        return f"{printable(os.fsdecode(source.path))} at byte {source.start}"
    name = getattr(source, "name", None)
    return printable(name) if isinstance(name, str) else "audio from memory"


def open_stream(source: AudioSource, name: str) -> BinaryIO:
    """Open a source; a pipe or a binary stream is read to its end.

    Raises:
        AudioError: missing, 0 bytes, or no file at all.
    """
    if isinstance(source, bytes):
        stream: BinaryIO = BytesIO(source)
    elif isinstance(source, FilePart):
        stream = _read_part(source, name)
    elif not isinstance(source, (str, os.PathLike)):
        stream = BytesIO(source.read())
    else:
        stream = _open_path(source, name)
    if not stream.read(1):
        stream.close()
        raise AudioError(
            "empty-file",
            f"{name}: 0 bytes, expected audio; copy the file again or drop it",
        )
    stream.seek(0)
    return stream


def _read_part(part: FilePart, name: str) -> BinaryIO:
    with _open_path(part.path, name) as file:
        size = file.seek(0, os.SEEK_END)
        if not 0 <= part.start <= part.start + part.size <= size:
            raise AudioError(
                "truncated",
                f"{name}: {part.size} bytes, expected to end before those of the file, "
                f"{size}; copy the file again, or make the manifest anew",
            )
        file.seek(part.start)
        return BytesIO(file.read(part.size))


def _open_path(path: str | os.PathLike[str], name: str) -> BinaryIO:
    try:
        fetch(Path(path))  # if it lies at an address
        is_pipe = stat.S_ISFIFO(os.stat(path).st_mode)
        return BytesIO(read_whole(path)) if is_pipe else open_file(path)
    except InputError as error:
        raise AudioError("missing", str(error)) from error  # it names the address
    except (OSError, ValueError) as error:  # ValueError: a null byte
        reason = getattr(error, "strerror", None) or error
        raise AudioError(
            "missing",
            f"{name}: cannot be opened ({reason}), expected an audio file; "
            "correct the path or drop it",
        ) from error
