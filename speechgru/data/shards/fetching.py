"""A file of a folder of shards, from its address to this machine."""

import http.client
import os
import ssl
import time
import urllib.error
from pathlib import Path

from speechgru.cache import alone
from speechgru.data.archive import digest_file
from speechgru.data.shards.contents import StoredFile
from speechgru.data.shards.streams import GoneError, open_stream
from speechgru.files import reason
from speechgru.interfaces import InputError
from speechgru.remote import address_of

NUM_TRIES = 5
"""In a row, without a byte."""

_FIRST_PAUSE = 1.0  # s, and twice as long after each try
_CHUNK = 1 << 20  # bytes
_BROKEN = (
    *(urllib.error.URLError, http.client.HTTPException),
    *(ConnectionError, TimeoutError, ssl.SSLError),
)


def fetch_file(path: Path, expected: StoredFile | None) -> None:
    """Fetch a file, unless it is there, and hold it to its digest.

    A connection that breaks is made again, and goes on where it broke; so does a
    process that was killed. Of several processes that want the same file, one fetches
    it.

    Args:
        path: as `locate` made it of the address; any other is left alone.
        expected: what the file is; None: not known.

    Raises:
        InputError: it is not there, is another one, or does not come.
    """
    if path.exists() or (address := address_of(path)) is None:
        return
    with alone(path.with_name(f".{path.name}.lock")):
        if path.exists():
            return
        part = path.with_name(f".{path.name}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            begun = part.exists() and expected is not None
            if not begun:
                part.unlink(missing_ok=True)
            _fetch(address, part, expected, begun)
            os.replace(part, path)
        except OSError as error:
            raise InputError(
                f"{path}: cannot be written ({reason(error)}), expected space for "
                f"{address}; free some, or set SPEECHGRU_CACHE to another folder"
            ) from error


def _fetch(address: str, part: Path, expected: StoredFile | None, begun: bool) -> None:
    _download(address, part, None if expected is None else expected.size)
    if expected is None:
        return
    try:
        check_file(part, expected, address)
    except InputError:
        part.unlink()
        if not begun:
            raise
        # The beginning, of another time, may be of what was there before.
        _fetch(address, part, expected, begun=False)


def _download(address: str, part: Path, size: int | None) -> None:
    """Write all of a file to `part`, which may hold the beginning of it."""
    failures, pause = 0, _FIRST_PAUSE
    while True:
        have = part.stat().st_size if part.exists() else 0
        if size is not None and have >= size:
            return
        try:
            why = _receive(address, part, 0 if size is None else have)
        except GoneError as error:
            raise InputError(
                f"{address}: cannot be fetched ({error}), expected a file that may be "
                "read; check the address, and that all files were copied there"
            ) from error
        found = part.stat().st_size if part.exists() else 0
        if why is None and (size is None or found >= size):
            return
        if found > have:
            failures, pause = 0, _FIRST_PAUSE
        failures += 1
        if failures == NUM_TRIES:
            of = "" if size is None else f" of {size}"
            raise InputError(
                f"{address}: cut off after {found}{of} bytes ({why or 'the end'}), "
                f"also after {NUM_TRIES} tries; check the network and that the file is "
                "whole there, and start again: it goes on"
            )
        time.sleep(pause)
        pause *= 2


def _receive(address: str, part: Path, start: int) -> str | None:
    """Write what comes; why it ended too early, or None.

    Raises:
        GoneError: there is no such file.
        OSError: it cannot be written.
    """
    try:
        with (
            open_stream(address, start) as (stream, begin),
            part.open("ab" if begin else "wb") as file,
        ):
            while chunk := stream.read(_CHUNK):
                file.write(chunk)
            return "the connection was closed" if getattr(stream, "length", 0) else None
    except _BROKEN as error:
        return reason(error) or type(error).__name__


def check_file(path: Path, expected: StoredFile, name: str) -> None:
    """Hold a file to its size and digest.

    Raises:
        InputError: it is another one.
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    if size < expected.size:
        raise InputError(
            f"{name}: cut off, {size} of {expected.size} bytes are there; copy the "
            "shard again"
        )
    digest = digest_file(path, "sha256")
    if size != expected.size or digest != expected.sha256:
        raise InputError(
            f"{name}: {size} bytes with sha256 {digest}, expected {expected.size} with "
            f"{expected.sha256}: it was changed since shards.json was written; copy "
            "the shard again, or make all of them anew"
        )
