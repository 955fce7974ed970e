"""Recordings out of what cannot be read in place, once, into a tar in the cache."""

import hashlib
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from speechgru.cache import alone, cache_folder
from speechgru.data.folder import MEDIA
from speechgru.data.sources.states import (
    LOCK,
    digest_files,
    note_use,
    remove_unused,
)
from speechgru.files import replace_by_parts, replace_file
from speechgru.interfaces import InputError

Recordings = Iterable[tuple[bytes | None, str | None]]
"""The bytes of each, and its name; None: not there."""

_BLOCK = tarfile.BLOCKSIZE


def unpack_audio(
    path: Path, variant: str, recordings: Callable[[], Recordings]
) -> tuple[Path, np.ndarray]:
    """Write the recordings of a file into a tar, unless that has been done.

    Args:
        path: of the file.
        variant: what is taken of it, e.g. a column.
        recordings: reads them.

    Returns:
        The tar; and (N, 2) int64: first byte and size of each, 0 of what is not there.

    Raises:
        InputError: the cache cannot be written; what was complete before is kept.
    """
    name = f"{path.absolute()}\0{variant}".encode("utf-8", "surrogateescape")
    key = hashlib.blake2b(name, digest_size=12).hexdigest()
    folder = cache_folder() / "audio" / f"{path.stem}-{key}"
    state = digest_files([path])
    tar, index = folder / f"{state}.tar", folder / f"{state}.ranges"
    # The ranges are written first: with the tar all is there.
    if not tar.exists() or not index.exists():
        with alone(folder / LOCK):
            if not tar.exists() or not index.exists():
                ranges: list[tuple[int, int]] = []
                parts = _write(recordings(), ranges)

                def then_ranges() -> Iterator[bytes]:
                    yield from parts
                    content = np.array(ranges, np.int64).reshape(-1, 2).tobytes()
                    replace_file(index, content)

                replace_by_parts(tar, then_ranges())
                if digest_files([path]) != state:
                    tar.unlink()
                    raise InputError(
                        f"{path}: changed while it was read, expected a file that "
                        "nobody writes to; try again when it is complete"
                    )
                remove_unused(folder, state)
    note_use(folder, state)
    return tar, np.fromfile(index, np.int64).reshape(-1, 2)


def _write(recordings: Recordings, ranges: list[tuple[int, int]]) -> Iterator[bytes]:
    """The bytes of a tar; where each recording lies in it is added to `ranges`."""
    position = 0
    for number, (content, name) in enumerate(recordings):
        if not content:
            ranges.append((0, 0))
            continue
        info = tarfile.TarInfo(f"{number:08d}{_ending(name)}")
        info.size = len(content)
        header = info.tobuf(tarfile.USTAR_FORMAT)
        padding = bytes(-len(content) % _BLOCK)
        ranges.append((position + len(header), len(content)))
        position += len(header) + len(content) + len(padding)
        yield from (header, content, padding)
    yield bytes(2 * _BLOCK)


def _ending(name: str | None) -> str:
    ending = PurePosixPath(os.fspath(name or "")).suffix.lower()
    return ending if ending in MEDIA else ""
