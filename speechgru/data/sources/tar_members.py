"""Where the files in an uncompressed tar lie, so that they need not be unpacked."""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from speechgru.bounded import GZIP, open_file
from speechgru.files import reason
from speechgru.interfaces import InputError
from speechgru.remote import fetch

LARGEST_HEADER = 1 << 20
"""Bytes; longer ones are made to exhaust memory."""

_COMPRESSED = (GZIP, b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")


@dataclass(frozen=True)
class Member:
    """A file in a tar.

    Attributes:
        name: inside the tar, with slashes, relative, without "." and "..".
        start: its first byte in the tar.
        size: bytes.
    """

    name: str
    start: int
    size: int


class _Headers:
    """A file of which tarfile may read no more than headers."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        """Read a header. Raises ReadError: it claims to be too long."""
        if not 0 <= size <= LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        """All else is the file's."""
        return getattr(self._file, name)


def list_members(path: Path) -> Iterator[Member]:
    """The files in a tar, in their order; only headers are read.

    Raises:
        InputError: it is missing, compressed, cut off or no tar; or a member is a
            link, a device, sparse, or would lie outside a folder.
    """
    fetch(path)
    try:
        with open_file(path) as file:
            if file.read(6).startswith(_COMPRESSED):
                raise InputError(
                    f"{path}: is compressed, expected a tar whose files can be read in "
                    "place; decompress it, e.g. by gunzip"
                )
            file.seek(0)
            with tarfile.open(fileobj=_Headers(file), mode="r:") as archive:
                while (member := archive.next()) is not None:
                    archive.members.clear()  # they would all be kept
                    if member.isdir():
                        continue
                    yield Member(_check(path, member), member.offset_data, member.size)
    except (OSError, tarfile.TarError, ValueError, EOFError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{path}: not a whole tar ({reason(error)}), expected one that is not "
            "compressed; correct the path, or copy it again"
        ) from error


def _check(path: Path, member: tarfile.TarInfo) -> str:
    """The name of a member. Raises InputError: it is no file, or has no safe name."""
    name = PurePosixPath(member.name)
    if not member.isfile() or member.issparse() or member.size < 0:
        kind = "a link" if member.islnk() or member.issym() else "no plain file"
        raise InputError(
            f"{path}: {member.name[:200]!r} is {kind}, expected files only; make the "
            "tar anew without it"
        )
    if name.is_absolute() or ".." in name.parts or not name.name:
        raise InputError(
            f"{path}: unsafe member {member.name[:200]!r}, expected names inside a "
            "folder; take another tar"
        )
    return name.as_posix()
