"""Files at addresses as streams that may begin anywhere."""

import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from speechgru.data.download import find_span, open_url
from speechgru.interfaces import InputError
from speechgru.remote import file_system


class GoneError(Exception):
    """The host says that there is no such file, or that it may not be read."""


@contextmanager
def open_stream(address: str, start: int) -> Iterator[tuple[BinaryIO, int]]:
    """Open a file at an address.

    Args:
        address: http, https, or whatever fsspec knows.
        start: byte to begin with, if the host can.

    Yields:
        The stream, and the byte that it begins with: `start`, or 0.

    Raises:
        GoneError: trying again is of no use.
        OSError: it may be of use.
        InputError: the extra `remote` is not installed.
    """
    if address.startswith(("http://", "https://")):
        with _open_http(address, start) as opened:
            yield opened
    else:
        with _open_other(address) as stream:
            stream.seek(start)
            yield stream, start


@contextmanager
def _open_http(address: str, start: int) -> Iterator[tuple[BinaryIO, int]]:
    try:
        response = open_url(address, start)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # nothing beyond `start`: what is here is of another file
            with _open_http(address, 0) as opened:
                yield opened
            return
        if error.code in (408, 425, 429) or error.code >= 500:
            raise
        raise GoneError(f"HTTP {error.code} {error.reason}") from error
    with response:
        yield response, find_span(response, start)[0]


@contextmanager
def _open_other(address: str) -> Iterator[BinaryIO]:
    try:
        opened = file_system(address).open(address, "rb")
    except InputError:
        raise
    except (FileNotFoundError, PermissionError) as error:
        raise GoneError(str(error) or "no such file") from error
    except Exception as error:  # every library has its own
        raise ConnectionError(str(error)) from error
    with opened:
        yield opened
