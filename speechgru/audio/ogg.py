"""The pages of Ogg files: are they whole, and which logical streams are there?

Decoders play the first stream of several, and skip damaged or missing pages
without a word. Every page carries a checksum and its number, and the last of
a stream a mark.

Source: RFC 3533.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from speechgru.audio.error import AudioError, damaged
from speechgru.audio.splice import Piece
from speechgru.audio.tail import is_empty

_FIRST, _LAST = 2, 4  # flags of a page
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class _Page:
    position: int
    flags: int
    serial: int
    number: int


def find_ogg_streams(
    stream: BinaryIO, start: int, end: int, name: str
) -> list[list[Piece]] | None:
    """Check all pages of an Ogg file, and split it where streams are chained.

    Args:
        stream: the file.
        start: where its first page begins.
        end: where the file does.
        name: for messages.

    Returns:
        For each link of the chain (usually one), what a decoder should read;
        None for another format.

    Raises:
        AudioError: damaged or missing pages, or no end.
    """
    stream.seek(start)
    if stream.read(4) != b"OggS":
        return None
    links = [start]
    last: dict[int, _Page] = {}  # by serial number, within a link
    in_headers = True
    for page in _read_pages(stream, start, end, name):
        if page.flags & _FIRST:
            if not in_headers:
                _check_ends(last, name)
                links.append(page.position)
                last = {}
        elif page.serial not in last:
            raise damaged(name, f"the first page of stream {page.serial} is missing")
        in_headers = bool(page.flags & _FIRST)
        before = last.get(page.serial)
        if before is not None and page.number != before.number + 1:
            raise damaged(
                name,
                f"page {page.number} follows page {before.number}, expected "
                f"{before.number + 1}: sound is missing",
            )
        last[page.serial] = page
    _check_ends(last, name)
    return [
        [range(first, stop)]
        for first, stop in zip(links, [*links[1:], end], strict=True)
    ]


def _read_pages(stream: BinaryIO, start: int, end: int, name: str) -> Iterator[_Page]:
    position = start
    while position < end or position == start:
        stream.seek(position)
        header = stream.read(27)
        if header[:4] != b"OggS":
            if is_empty(stream, position, end):
                return
            raise damaged(
                name, f"no page of Ogg at byte {position} of {end}, expected one there"
            )
        sizes = stream.read(header[26]) if len(header) == 27 else b""
        body = stream.read(sum(sizes))
        size = 27 + header[26] + sum(sizes) if len(header) == 27 else 27
        if len(header) + len(sizes) + len(body) < size:
            raise AudioError(
                "truncated",
                f"{name}: truncated, {end - position} of the {size} bytes of its last "
                "page are there; copy the file again or drop it",
            )
        flags, serial, number, checksum = struct.unpack("<5xB8xIII", header[:26])
        page = header[:22] + bytes(4) + header[26:] + sizes + body
        if page_checksum(page) != checksum:
            raise damaged(
                name,
                f"the checksum of the page at byte {position} is wrong: its sound was "
                "changed",
            )
        yield _Page(position, flags, serial, number)
        position += size


def _check_ends(last: dict[int, _Page], name: str) -> None:
    if not all(page.flags & _LAST for page in last.values()):
        raise AudioError(
            "truncated",
            f"{name}: truncated, the last page does not say that it is the last; copy "
            "the file again, or drop it, or, if its recorder was killed and no more is "
            "to be had, accept what is there with `ffmpeg -i OLD -c copy NEW`",
        )


def page_checksum(page: bytes) -> int:
    """CRC-32 with the bits of each byte in the other order than zlib's."""
    reversed_sum = ~zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) & 0xFFFFFFFF
    return int(f"{reversed_sum:032b}"[::-1], 2)
