"""Where the sound lies in files of one header: AU and NIST SPHERE."""

import re
import struct
from typing import BinaryIO

from speechgru.audio.error import damaged, truncated
from speechgru.audio.splice import Piece
from speechgru.audio.tail import is_empty

_UNKNOWN = 0xFFFFFFFF


def find_sound_behind_header(
    stream: BinaryIO, start: int, end: int, name: str
) -> list[list[Piece]] | None:
    """Find all the sound of an AU or NIST file.

    Args, returns and raises as `find_chunked_sound`.
    """
    stream.seek(start)
    head = stream.read(1024)
    if head[:4] in (b".snd", b"dns."):
        return _find_au(stream, head, start, end, name)
    if head[:7] == b"NIST_1A":
        return _find_nist(stream, head, start, end, name)
    return None


def _find_au(
    stream: BinaryIO, head: bytes, start: int, end: int, name: str
) -> list[list[Piece]]:
    if len(head) < 24:
        return [[range(start, end)]]  # the decoder says what is wrong
    order = ">" if head[:4] == b".snd" else "<"
    header_size, size = struct.unpack(order + "II", head[4:12])
    found = end - start - header_size
    if size == _UNKNOWN or found <= 0:
        return [[range(start, end)]]
    if size == 0:  # the recorder was killed
        unknown = b"\xff\xff\xff\xff"
        return [[range(start, start + 8), unknown, range(start + 12, end)]]
    if size > found:
        raise truncated(name, found, size, "bytes of sound")
    stop = start + header_size + size
    return _split(stream, range(start, stop), end, f"{size} bytes", name)


def _find_nist(
    stream: BinaryIO, head: bytes, start: int, end: int, name: str
) -> list[list[Piece]]:
    fields = {
        key: int(value)
        for key, value in re.findall(rb"^(\w+) -i (\d{1,15})\s*$", head, re.MULTILINE)
    }
    size_line = re.match(rb"NIST_1A\s+(\d{1,9})\n", head)
    count = fields.get(b"sample_count")
    width = fields.get(b"sample_n_bytes", 0) * fields.get(b"channel_count", 1)
    if size_line is None or count is None or not width:
        return [[range(start, end)]]
    data = start + int(size_line[1])
    found = max(0, end - data)
    if count * width > found:
        raise truncated(name, found // width, count, "samples")
    if not count:  # the recorder was killed; the decoder reads to the end
        return [[range(start, end)]]
    sound = range(start, data + count * width)
    return _split(stream, sound, end, f"{count} samples", name)


def _split(
    stream: BinaryIO, sound: range, end: int, announced: str, name: str
) -> list[list[Piece]]:
    """The sound of one file, and of those that are joined to it."""
    if is_empty(stream, sound.stop, end):
        return [[range(sound.start, end)]]
    more = find_sound_behind_header(stream, sound.stop, end, name)
    if more is None:
        raise damaged(
            name,
            f"its header announces {announced} of sound, but {end - sound.stop} bytes "
            "more follow",
        )
    return [[sound], *more]
