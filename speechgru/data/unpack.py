"""Unpacking archives that a stranger may have made."""

import bz2
import gzip
import lzma
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from speechgru.interfaces import InputError

MOST_TIMES = 100
"""As large as the archive may the files in it be; those of speech are 1 to 20."""

SPARE_BYTES = 64 << 20
"""That they may be larger than this, in a small archive."""

MOST_MEMBERS = 2_000_000
"""Of an archive; LibriSpeech has 300,000."""

LARGEST_READ = 16 << 20
"""Bytes at once; more is asked for by the header of a bomb alone."""

_OPEN = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}
"""How a compressed file is opened, by its first two bytes."""


class _Allowance:
    """What an archive may still take.

    Args:
        path: of the archive.
        folder: where it is unpacked.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self.total = MOST_TIMES * path.stat().st_size + SPARE_BYTES
        self.free = shutil.disk_usage(folder).free
        self.num_bytes = self.num_members = 0

    def take(self, name: str, size: int) -> None:
        """Count a file. Raises InputError: that is too much."""
        self.num_members += 1
        self.num_bytes += size
        if size < 0 or self.num_bytes > self.total:
            raise InputError(
                f"{self.path}: its files take more than {self.total} bytes with "
                f"{name[:80]!r}, expected at most {MOST_TIMES} times the archive; it "
                "is no archive of a corpus: take another"
            )
        if self.num_bytes > self.free:
            raise InputError(
                f"{self.path}: its files take more than the {self.free} bytes that are "
                "free; free some space"
            )
        if self.num_members > MOST_MEMBERS:
            raise InputError(
                f"{self.path}: holds more than {MOST_MEMBERS} files; it is no archive "
                "of a corpus: take another"
            )


class _BoundedReader:
    """A stream that is never asked for more than a header or a block of a file.

    Args:
        stream: decompressed.
        most: bytes that may be read in all.
    """

    def __init__(self, stream: Any, most: int) -> None:
        self._stream, self._left = stream, most

    def read(self, size: int) -> bytes:
        """Read so many bytes. Raises ReadError: too many, or all."""
        self._left -= size
        if not 0 <= size <= LARGEST_READ or self._left < 0:
            raise tarfile.ReadError(f"it asks for {size} bytes at once, or too many")
        return self._stream.read(size)

    def __getattr__(self, name: str) -> Any:
        """All else is the stream's."""
        return getattr(self._stream, name)


def extract_tar(path: Path, folder: Path) -> None:
    """Unpack a tar, of any compression.

    Raises:
        InputError: a member that would be written outside, or too much.
        OSError, TarError, EOFError, LZMAError, zlib.error: it is damaged.
    """
    if not hasattr(tarfile, "data_filter"):
        raise InputError(
            f"Python {sys.version.split()[0]} cannot unpack archives safely, expected "
            "3.10.12 or later; update Python"
        )
    allowance = _Allowance(path, folder)
    with path.open("rb") as file:
        opener = _OPEN.get(file.read(2), open)
    with (
        opener(path, "rb") as stream,
        tarfile.open(
            fileobj=_BoundedReader(stream, 2 * allowance.total), mode="r:"
        ) as archive,
    ):
        for member in archive:
            allowance.take(member.name, member.size)
            try:
                archive.extract(member, folder, filter="data")
            except tarfile.FilterError as error:
                raise _unsafe(path, str(error)) from error


def extract_zip(path: Path, folder: Path) -> None:
    """Unpack a zip archive.

    Raises:
        InputError: it is encrypted, a member would be written outside, or too much.
        OSError, BadZipFile, zlib.error: it is damaged.
    """
    allowance = _Allowance(path, folder)
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            name = info.filename
            member = PurePosixPath(name.replace("\\", "/"))
            if member.is_absolute() or ".." in member.parts or ":" in name:
                raise _unsafe(path, name)
            if info.flag_bits & 1:
                raise InputError(
                    f"{path}: {name[:80]!r} is encrypted, expected files without a "
                    "password; unpack it yourself and pack it anew"
                )
            allowance.take(name, info.file_size)
        archive.extractall(folder)


def _unsafe(path: Path, why: str) -> InputError:
    return InputError(
        f"{path}: unsafe member ({why}), expected files inside the folder; take "
        "another archive"
    )
