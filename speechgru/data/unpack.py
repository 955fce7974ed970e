"""Unpacking archives that a stranger may have made."""

import bz2
import errno
import gzip
import lzma
import os
import shutil
import stat
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from speechgru.interfaces import InputError
from speechgru.progress import Progress, track

_MB = 1e6

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


class NoSpaceError(InputError):
    """The disk is full; what is unpacked so far is good."""


class Allowance:
    """What an archive, and those inside it, may still take.

    Args:
        path: of the archive.
        folder: where its files will lie.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self.folder = folder
        self.total = MOST_TIMES * path.stat().st_size + SPARE_BYTES
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
        if self.num_members > MOST_MEMBERS:
            raise InputError(
                f"{self.path}: holds more than {MOST_MEMBERS} files; it is no archive "
                "of a corpus: take another"
            )

    def check_free(self, size: int) -> None:
        """See that a file fits on the disk. Raises NoSpaceError."""
        free = shutil.disk_usage(self.folder).free
        if size > free:
            raise self.no_space(f"{size} bytes are next, {free} are free")

    def no_space(self, what: str) -> NoSpaceError:
        """The error for a full disk."""
        return NoSpaceError(
            f"{self.path}: the disk is full ({what}), expected room for its files in "
            f"{self.folder}; free some and try again: it goes on where it "
            "stopped"
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


def extract_tar(path: Path, folder: Path, allowance: Allowance) -> None:
    """Unpack a tar, of any compression; files that are there are left alone.

    Raises:
        NoSpaceError: the disk is full.
        InputError: a member that would be written outside, or too much.
        OSError, TarError, EOFError, LZMAError, zlib.error: it is damaged.
    """
    if not hasattr(tarfile, "data_filter"):
        raise InputError(
            f"Python {sys.version.split()[0]} cannot unpack archives safely, expected "
            "3.10.12 or later; update Python"
        )
    with (
        path.open("rb") as file,
        Progress(f"unpacking {path.name}", path.stat().st_size / _MB, "MB") as progress,
    ):
        opener = _OPEN.get(file.read(2), _as_it_is)
        file.seek(0)
        with (
            opener(file, "rb") as stream,
            tarfile.open(
                fileobj=_BoundedReader(stream, 2 * allowance.total), mode="r:"
            ) as archive,
        ):
            for member in archive:
                allowance.take(member.name, member.size)
                _extract_member(archive, member, folder, allowance)
                progress.advance(file.tell() / _MB - progress.done)


def extract_zip(path: Path, folder: Path, allowance: Allowance) -> None:
    """Unpack a zip archive; files that are there are left alone.

    Raises:
        NoSpaceError: the disk is full.
        InputError: it is encrypted, a member would be written outside, or too much.
        OSError, BadZipFile, zlib.error: it is damaged.
    """
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        for info in members:
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
        for info in track(members, f"unpacking {path.name}", "files"):
            modified = time.mktime((*info.date_time, 0, 0, -1))
            target = folder / info.filename
            if not _is_there(target, info.file_size, modified):
                allowance.check_free(info.file_size)
                with _disk(allowance):
                    extracted = archive.extract(info, folder)
                os.utime(extracted, (modified, modified))


def _extract_member(
    archive: tarfile.TarFile,
    member: tarfile.TarInfo,
    folder: Path,
    allowance: Allowance,
) -> None:
    try:
        safe = tarfile.data_filter(member, str(folder))
    except tarfile.FilterError as error:
        raise _unsafe(allowance.path, str(error)) from error
    # The filters of some versions of Python are led astray by long chains of links.
    followed = [safe.name] + ([safe.linkname] if safe.islnk() else [])
    if any(_passes_link(folder, name) for name in followed):
        raise _unsafe(allowance.path, f"{member.name[:80]!r} lies behind a link")
    target = folder / safe.name
    if safe.isreg():
        if _is_there(target, safe.size, safe.mtime):
            return
        allowance.check_free(safe.size)
    if safe.islnk() and target.exists():
        if target.samefile(folder / safe.linkname):
            return
        target.unlink()
    if not safe.isdir() and target.is_symlink():
        target.unlink()
    with _disk(allowance):
        archive.extract(member, folder, filter="data")


def _passes_link(folder: Path, name: str) -> bool:
    """Whether a part of a member's path, but its last, is a symbolic link."""
    parts = PurePosixPath(name).parts[:-1]
    return any(
        folder.joinpath(*parts[:length]).is_symlink()
        for length in range(1, len(parts) + 1)
    )


def _is_there(target: Path, size: int, modified: float) -> bool:
    """Whether a file was unpacked before: its time is set when it is whole."""
    try:
        found = os.lstat(target)
    except OSError:
        return False
    return (
        stat.S_ISREG(found.st_mode)
        and found.st_size == size
        and int(found.st_mtime) == int(modified)
    )


@contextmanager
def _disk(allowance: Allowance) -> Iterator[None]:
    """Tell a full disk from a damaged archive."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise allowance.no_space(str(error.strerror)) from error
        raise


def _as_it_is(file: BinaryIO, _: str) -> BinaryIO:
    return file


def _unsafe(path: Path, why: str) -> InputError:
    return InputError(
        f"{path}: unsafe member ({why}), expected files inside the folder; take "
        "another archive"
    )
