"""Whether the index of an MPEG-4 file can be true.

FFmpeg makes an entry of some 40 bytes for every sample that the index counts. Where
all have one size a count is but a number: 36 KB can claim 40 million, and then
took 1.4 GB and half a minute.

Source: ISO/IEC 14496-12, sections 8.7.3.2 (stsz) and 8.8.8 (trun).
"""

import os
import re
from collections.abc import Iterator
from typing import BinaryIO

from speechgru.audio.error import damaged

_MOST_BOXES = 100_000
_MOST_BYTES = 1 << 28  # of a box that holds an index
_COUNTS = re.compile(rb"stsz.{4}(?P<size>.{4})(.{4})|trun.{4}(.{4})", re.DOTALL)


def check_index(stream: BinaryIO, name: str) -> None:
    """See that a file is large enough for what its index counts.

    Args:
        stream: an MPEG-4 file.
        name: for messages.

    Raises:
        AudioError: it is not.
    """
    end = stream.seek(0, os.SEEK_END)
    for start, size in _find_indexes(stream, end):
        stream.seek(start)
        for match in _COUNTS.finditer(stream.read(min(size, _MOST_BYTES))):
            count = int.from_bytes(match[2] or match[3], "big")
            each = int.from_bytes(match["size"] or b"", "big") or 1
            if count * each > end:
                raise damaged(
                    name,
                    f"its index counts {count} pieces of at least {each} bytes, but "
                    f"the file has {end} bytes",
                )


def _find_indexes(stream: BinaryIO, end: int) -> Iterator[tuple[int, int]]:
    """Where the boxes begin that hold an index, and how many bytes they have."""
    position = 0
    for _ in range(_MOST_BOXES):
        stream.seek(position)
        header = stream.read(16)
        size = int.from_bytes(header[:4], "big")
        if size == 1:
            size = int.from_bytes(header[8:16], "big")
        elif size == 0:  # to the end
            size = end - position
        if len(header) < 8 or size < 8:
            return
        if header[4:8] in (b"moov", b"moof"):
            yield position, min(size, end - position)
        position += size
