"""Large files from the network: from several addresses in turn, and resumed."""

import http.client
import logging
import os
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from speechgru.cache import making
from speechgru.interfaces import InputError
from speechgru.progress import Progress

_log = logging.getLogger(__name__)

_CHUNK = 1 << 18  # bytes
_MB = 1e6
_TIMEOUT = 30  # s without an answer
_OTHER_DISK = "choose another disk by data_dir=FOLDER"

WORTH_RESUMING = 16 << 20
"""Bytes that must have arrived before a cut, for the same address to be asked again
at once: tens of GB seldom come in one piece."""


class _RefusedError(Exception):
    """An address serves something else than what is wanted."""


def download(
    urls: str | Sequence[str],
    path: Path,
    size: int | None = None,
    check: Callable[[Path], None] | None = None,
) -> None:
    """Download to `path`, resuming from `<path>.part` where the host can.

    Addresses are tried in turn, each going on where the one before it stopped. What
    is a web page, or of another size, is refused before a byte of it is kept. Of
    several processes that want the same file, one fetches it.

    Args:
        urls: one address, or a file's address and its mirrors.
        path: of the file; its folder is made.
        size: expected bytes, if they are known.
        check: raises InputError where the file is another than expected; such a file
            goes to `<path>.refused`, and the next address is asked for all of it.

    Raises:
        InputError: no address gave it; each is named with what went wrong, and what
            has arrived is kept. Or it cannot be written here.
    """
    urls = [urls] if isinstance(urls, str) else list(urls)
    with making(path, "downloads", _OTHER_DISK):
        if not path.exists():  # else another process has done it
            _download(urls, path, size, check)


def _download(
    urls: Sequence[str],
    path: Path,
    size: int | None,
    check: Callable[[Path], None] | None,
) -> None:
    part = path.with_name(path.name + ".part")
    failures: dict[str, list[str]] = {}  # reason: addresses
    for number, url in enumerate(urls, 1):
        _log.info("downloading %s to %s", url, path)
        try:
            _fetch_on(url, part, size)
            if check is not None:
                _check(check, part, path.with_name(path.name + ".refused"))
            with _writing(part):
                os.replace(part, path)
            return
        except (_RefusedError, http.client.HTTPException, OSError) as error:
            # URLError and HTTPError are OSErrors.
            why = _reason(error)
            failures.setdefault(why, []).append(url)
            if number < len(urls):
                _log.warning("%s; trying %s", _failed([url], why), urls[number])
    told = "; ".join(_failed(some, why) for why, some in failures.items())
    raise InputError(
        f"{told}; expected {path.name}; try again, or "
        "set corpus.archive=PATH, or set SPEECHGRU_ARCHIVES to a folder that "
        "holds the file"
    )


def _failed(urls: Sequence[str], why: str) -> str:
    return f"{', '.join(urls)}: download failed ({why})"


def open_url(url: str, start: int) -> http.client.HTTPResponse:
    """Ask a host for a file, from a byte on; it may answer with all of it.

    Raises:
        OSError: it does not answer, or refuses (HTTPError).
    """
    request = urllib.request.Request(url, headers={"User-Agent": "speechgru"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    return urllib.request.urlopen(request, timeout=_TIMEOUT)


def _fetch_on(url: str, part: Path, size: int | None) -> None:
    """Fetch, again and again for as long as each time much has arrived."""
    while True:
        before = _size(part)
        try:
            _fetch(url, part, size)
            return
        except (http.client.HTTPException, OSError) as error:
            if _size(part) - before < WORTH_RESUMING:
                raise
            _log.warning("%s: %s; going on", url, _reason(error))


def _fetch(url: str, part: Path, size: int | None) -> None:
    start = _size(part)
    if size is not None and start > size:
        part.unlink()  # of another release
        start = 0
    if start and start == size:
        return
    try:
        response = open_url(url, start)
    except urllib.error.HTTPError as error:
        if error.code != 416:  # nothing beyond `start`
            raise
        error.close()
        if size is not None:
            raise _RefusedError(f"it has no byte {start} of {size}") from error
        # Whole already, or not of this file: only the host's word can tell.
        if error.headers.get("Content-Range") == f"bytes */{start}":
            return
        part.unlink()
        _fetch(url, part, size)
        return
    with response:
        start, total = find_span(response, start)
        head = response.read(1024)
        _refuse_other(response, head if start == 0 else b"", total, size)
        _need_room(part, (total or size or 0) - start)
        _write(response, head, part, start, total or size)
    expected = size if total is None else total
    found = _size(part)
    if expected is not None and found < expected:
        raise ConnectionError(f"cut off after {found} of {expected} bytes")
    if expected is not None and found > expected:
        part.unlink()
        raise _RefusedError(f"it serves more than {expected} bytes")


def find_span(response: Any, asked: int) -> tuple[int, int | None]:
    """Where an answer begins, and how long the whole file is, if that is said.

    Args:
        response: of a host.
        asked: byte that it was to begin with; 0, too, is a fair answer.

    Raises:
        ConnectionError: it begins elsewhere.
    """
    length = response.headers.get("Content-Length", "")
    size = int(length) if length.isascii() and length.isdigit() else None
    if response.status != 206:  # the host cannot resume
        return 0, size
    told = re.match(
        r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "")
    )
    if told is None:
        return asked, None if size is None else asked + size
    if int(told[1]) != asked:
        raise ConnectionError(f"it begins at byte {told[1]}, expected {asked}")
    return asked, None if told[2] == "*" else int(told[2])


def _refuse_other(
    response: Any, head: bytes, total: int | None, size: int | None
) -> None:
    """Refuse what is no archive, before it is written anywhere."""
    kind = response.headers.get_content_type()
    looks = head.lstrip().lower().startswith((b"<!doctype html", b"<html"))
    if kind in ("text/html", "application/xhtml+xml") or looks:
        raise _RefusedError("it serves a web page (HTML), expected an archive")
    if None not in (size, total) and total != size:
        raise _RefusedError(f"it serves {total} bytes, expected {size}")


def _need_room(part: Path, num_bytes: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if num_bytes > free:
        raise InputError(
            f"{part}: {num_bytes} bytes are still to come, but {free} are free; free "
            f"some, or {_OTHER_DISK}, and try again: it goes on where it stopped"
        )


def _write(
    response: Any, chunk: bytes, part: Path, start: int, total: int | None
) -> None:
    with _writing(part):
        file = open(part, "ab" if start else "wb")  # noqa: SIM115, closed below
    name = part.name.removesuffix(".part")
    whole = None if total is None else total / _MB
    with file, Progress(name, whole, "MB", done=start / _MB) as progress:
        while chunk and (whole is None or progress.done <= whole):
            with _writing(part):
                file.write(chunk)
            progress.advance(len(chunk) / _MB)
            chunk = response.read(_CHUNK)
        with _writing(part):
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def _writing(part: Path) -> Iterator[None]:
    """Tell a failure of this machine's disk from those of the network."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{part}: cannot be written ({error.strerror}), expected room for a "
            f"download; free some, or {_OTHER_DISK}, and try again: it goes on where "
            "it stopped"
        ) from error


def _check(check: Callable[[Path], None], part: Path, refused: Path) -> None:
    try:
        check(part)
    except InputError as error:
        os.replace(part, refused)
        raise _RefusedError(f"{error}; it is kept as {refused.name}") from error


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or str(error) or type(error).__name__
    return str(reason)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
