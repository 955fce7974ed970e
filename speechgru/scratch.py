"""Frames of a long recording, on the disk while memory has no room for them.

Temporary files have no name: they vanish with the process, however it ends. They are
read and written, not mapped, so that what was read does not count as memory.
"""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO

import numpy as np
import torch
from torch import Tensor

from speechgru.interfaces import InputError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Scratch:
    """Temporary files, which are gone when it is left.

    They lie in the folder that the environment variable TMPDIR names, else in the
    system's, /tmp.

    Args:
        name: of the recording, for messages.
        needed: bytes that are held at most at once.
        device: where rows go that are read.

    Raises:
        InputError: there is no such folder, or not as much room in it.
    """

    def __init__(self, name: str, needed: int, device: torch.device) -> None:
        self.device = device
        self._name = name
        self._needed = needed
        self._files = ExitStack()
        try:
            self._folder = tempfile.gettempdir()
            free = shutil.disk_usage(self._folder).free
        except OSError as error:
            raise self._no_room(error.strerror or str(error)) from error
        if free < needed:
            raise self._no_room(f"{free // 10**6} MB free")

    def __enter__(self) -> "Scratch":
        return self

    def __exit__(self, *error: object) -> None:
        self._files.close()

    def rows(self, *sizes: int) -> "Rows":
        """New and empty rows, of one part or of several side by side."""
        try:
            files = [self._files.enter_context(_open()) for _ in sizes]
        except OSError as error:
            raise self._no_room(error.strerror or str(error)) from error
        return Rows(self, files, sizes)

    def write(self, file: IO[bytes], content: memoryview, offset: int) -> None:
        """Write all of it at an offset, bytes. Raises InputError: the disk is full."""
        try:
            while content:
                count = os.pwrite(file.fileno(), content, offset)
                content, offset = content[count:], offset + count
        except OSError as error:
            if error.errno in _FULL:
                raise self._no_room(str(error.strerror)) from error
            raise

    def _no_room(self, found: str) -> InputError:
        try:
            folder = tempfile.gettempdir()
        except OSError:
            folder = "no folder"
        return InputError(
            f"{self._name}: temporary files in {folder}: {found}, expected room for "
            f"{self._needed / 1e6:.1f} MB; free some, or let the environment variable "
            "TMPDIR name a folder that has it"
        )


class Rows:
    """(T, F) float32 frames in temporary files, of which any can be read and written.

    Args:
        scratch: that they belong to.
        files: one for each part.
        sizes: F of each part.
    """

    def __init__(
        self, scratch: Scratch, files: list[IO[bytes]], sizes: tuple[int, ...]
    ) -> None:
        self._scratch = scratch
        self._files = files
        self._sizes = sizes
        self._num_rows = 0

    def __len__(self) -> int:
        return self._num_rows

    def append(self, rows: Tensor) -> None:
        """Write (N, F) behind the last."""
        start = len(self)
        for part, columns in enumerate(rows.split(self._sizes, dim=1)):
            self.write(start, columns, part)

    def write(self, start: int, rows: Tensor, part: int = 0) -> None:
        """Write one part of rows, (N, its size), from row `start` on."""
        array = rows.detach().to("cpu", torch.float32).contiguous().numpy()
        content = array.reshape(-1).view(np.uint8).data
        offset = start * self._sizes[part] * array.itemsize
        self._scratch.write(self._files[part], content, offset)
        self._num_rows = max(self._num_rows, start + len(rows))

    def read(self, start: int, stop: int) -> Tensor:
        """All parts of rows, side by side: (stop - start, F), on the device."""
        parts = [self._read_part(part, start, stop) for part in range(len(self._sizes))]
        rows = parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
        return rows.to(self._scratch.device)

    def blocks(self, size: int) -> "RowBlocks":
        """All rows, (1, N, F) with N up to `size` at a time, again and again."""
        return RowBlocks(self, size)

    def close(self) -> None:
        """Give the room back."""
        for file in self._files:
            file.close()

    def mapped(self) -> Tensor:
        """(T, F), all rows of the only part, as memory that is read when it is used."""
        [file], [size] = self._files, self._sizes
        if not len(self):
            return torch.empty(0, size)
        array = np.memmap(file, np.float32, mode="c", shape=(len(self), size))
        return torch.from_numpy(array)

    def _read_part(self, part: int, start: int, stop: int) -> Tensor:
        size = self._sizes[part]
        rows = np.empty((stop - start, size), dtype=np.float32)
        view = rows.reshape(-1).view(np.uint8).data
        offset = start * size * rows.itemsize
        while view:
            count = os.preadv(self._files[part].fileno(), [view], offset)
            if not count:
                raise EOFError(
                    f"rows {start} to {stop} of {len(self)} were not written"
                )
            view, offset = view[count:], offset + count
        return torch.from_numpy(rows)


class RowBlocks:
    """Rows, some at a time.

    Args:
        rows: that are read.
        size: rows of a block; of the last one, what is left.
    """

    def __init__(self, rows: Rows, size: int) -> None:
        self._rows = rows
        self._size = size

    def __iter__(self) -> Iterator[Tensor]:
        for start in range(0, len(self._rows), self._size):
            stop = min(start + self._size, len(self._rows))
            yield self._rows.read(start, stop)[None]


def _open() -> IO[bytes]:
    """A file of this process alone, which is gone when it is closed."""
    return tempfile.TemporaryFile(buffering=0)
