"""Recordings as files of their own, for formats that can point to nothing else."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from speechgru.bounded import open_file
from speechgru.data.sources.scp import is_command
from speechgru.files import reason, replace_by_parts
from speechgru.interfaces import FilePart, InputError, Utterance
from speechgru.remote import address_of, fetch

_BLOCK = 1 << 20  # bytes
_LONGEST_NAME = 120  # bytes, so that an ending and a number have place
_MAGIC = ((b"RIFF", ".wav"), (b"fLaC", ".flac"), (b"OggS", ".ogg"), (b"ID3", ".mp3"))


class AudioFiles:
    """A file for every recording: where it is, or a copy of its bytes.

    Copied is what lies inside a larger file or at an address, or has a name that a
    line of text would not hold.

    Args:
        folder: of the copies; made with the first.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.num_copied = 0
        self._paths: dict[Path | FilePart, Path] = {}
        self._names: set[str] = set()

    def find(self, utterance: Utterance) -> Path:
        """The file of an utterance's recording.

        Raises:
            InputError: it cannot be read, or its copy not be written.
        """
        audio = utterance.audio
        if audio not in self._paths:
            self._paths[audio] = self._place(utterance)
        return self._paths[audio]

    def _place(self, utterance: Utterance) -> Path:
        path = utterance.audio_path
        is_apart = utterance.byte_range is None and address_of(path) is None
        if is_apart and is_plain(os.path.abspath(path)):
            return Path(os.path.abspath(path))
        fetch(path)
        start, size = utterance.byte_range or (0, None)
        try:
            with open_file(path) as file:
                file.seek(start)
                ending = _ending(file.read(4)) or path.suffix
        except OSError as error:
            raise _unread(path, error) from error
        copy = self.folder / self._new_name(utterance.id, ending)
        replace_by_parts(copy, _read(path, start, size))
        self.num_copied += 1
        return copy.absolute()

    def _new_name(self, id: str, ending: str) -> str:
        stem = safe_name(id)
        name, number = stem + ending, 1
        while name in self._names:
            number += 1
            name = f"{stem}-{number}{ending}"
        self._names.add(name)
        return name


def is_plain(path: str) -> bool:
    """Whether a path is the same when it is the rest of a line of wav.scp."""
    is_one_line = path == path.strip() and len(path.splitlines()) == 1
    has_offset = re.search(r":\d+$", path) and not os.path.exists(path)
    return is_one_line and not is_command(path) and not has_offset


def safe_name(id: str) -> str:
    """A file name that is made of an id: short, without slashes, not hidden."""
    name = quote(id.replace("/", "-"), safe=" ,+=@()[]!")[:_LONGEST_NAME]
    return name if name and not name.startswith((".", "-", " ")) else f"_{name}"


def _read(path: Path, start: int, size: int | None) -> Iterator[bytes]:
    """Bytes of a file, block by block."""
    try:
        with open_file(path) as file:
            file.seek(start)
            left = size
            while left is None or left > 0:
                block = file.read(_BLOCK if left is None else min(_BLOCK, left))
                if not block:
                    break
                left = None if left is None else left - len(block)
                yield block
    except OSError as error:
        raise _unread(path, error) from error
    if left:
        raise InputError(
            f"{path}: ends {left} bytes before a recording in it does, expected all of "
            "it; copy the file again"
        )


def _ending(head: bytes) -> str:
    return next((ending for magic, ending in _MAGIC if head.startswith(magic)), "")


def _unread(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path}: cannot be read ({reason(error)}), expected a recording; correct the "
        "path"
    )
