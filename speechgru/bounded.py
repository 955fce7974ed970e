"""Reading files that a stranger may have made: whole, but never without end."""

import errno
import gzip
import io
import json
import os
import stat
import time
from typing import Any, BinaryIO

MOST_BYTES = 2 << 30
"""Of a file that is read whole: a manifest of some ten million utterances."""

GZIP = b"\x1f\x8b"
"""First bytes of what gzip has compressed."""

MOST_WAITING = 3.0
"""s, for somebody to open the other end of a pipe."""

MOST_SETTINGS = 16 << 20
"""Bytes of a file that holds a few settings or numbers."""


def read_whole(path: str | os.PathLike[str], most: int = MOST_BYTES) -> bytes:
    """Read a file, whatever has been put in its place.

    A pipe is read while somebody writes to it, as in <(zcat a.gz).

    Args:
        path: of the file.
        most: bytes.

    Raises:
        OSError: it cannot be read; is a folder, a device, or a pipe that nobody
            writes to; or is larger than `most`.
    """
    with open(path, "rb", opener=_open_at_once) as file:
        status = os.fstat(file.fileno())
        head = b""
        if stat.S_ISFIFO(status.st_mode):
            head = _await_writer(file.fileno())
            os.set_blocking(file.fileno(), True)
        elif not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "a device, not a file")
        content = b"" if status.st_size > most else head + file.read(most + 1)
    if status.st_size > most or len(content) > most:
        raise OSError(errno.EFBIG, f"larger than {most >> 20} MiB")
    return content


def read_stream(stream: BinaryIO, most: int = MOST_BYTES) -> bytes:
    """Read what comes through a pipe, as long as its writer needs for it.

    Raises:
        OSError: it cannot be read, or is more than `most`.
    """
    content = stream.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"more than {most >> 20} MiB")
    return content


def _await_writer(pipe: int) -> bytes:
    """Wait a while for somebody who writes; what was read of it meanwhile."""
    given_up_at = time.monotonic() + MOST_WAITING
    while True:
        try:
            head = os.read(pipe, 1)
        except BlockingIOError:  # somebody is about to write
            return b""
        if head:
            return head
        if time.monotonic() >= given_up_at:
            raise OSError(errno.EPIPE, "a pipe that nobody writes to")
        time.sleep(0.01)


def open_file(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file to be read in parts, and nothing that may have no end.

    Raises:
        OSError: it cannot be opened; or is a folder, a device, or a pipe, at which one
            would wait for somebody who writes.
    """
    file = open(path, "rb", opener=_open_at_once)  # noqa: SIM115, for the caller
    mode = os.fstat(file.fileno()).st_mode
    if stat.S_ISREG(mode):
        return file
    file.close()
    kind = "pipe" if stat.S_ISFIFO(mode) else "device"
    raise OSError(errno.EINVAL, f"a {kind}, not a file")


def read_unpacked(path: str | os.PathLike[str], most: int = MOST_BYTES) -> bytes:
    """Read a file, or what gzip has compressed into it, in one part or several.

    Raises:
        OSError: see `read_whole`; what it holds counts as well.
        EOFError, zlib.error: what is compressed is cut off, or damaged.
    """
    content = read_whole(path, most)
    if not content.startswith(GZIP):
        return content
    with gzip.open(io.BytesIO(content)) as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise OSError(errno.EFBIG, f"larger than {most >> 20} MiB when unpacked")
    return found


def read_json(path: str | os.PathLike[str], most: int = MOST_SETTINGS) -> Any:
    """Read a file that is one value of JSON.

    Raises:
        OSError: see `read_whole`.
        ValueError: it is not JSON in UTF-8, or nested too deeply.
    """
    try:
        return json.loads(read_whole(path, most).decode("utf-8-sig"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting until somebody writes to a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
