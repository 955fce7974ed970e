"""Where the sound lies in files of chunks: WAV, RF64, W64, AIFF, CAF.

Their size fields are often wrong: 0 or the largest number where the recorder
was killed or wrote into a pipe, short by multiples of 4 GiB where they
overflowed. Decoders then lose sound, or take what follows it for sound.
"""

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

from speechgru.audio.error import damaged, truncated
from speechgru.audio.splice import Piece
from speechgru.audio.tail import SLACK, is_empty

_MAX_CHUNKS = 10_000
_W64_GUID = bytes.fromhex("f3acd3118cd100c04f8edb8a")


@dataclass(frozen=True)
class _Kind:
    """How a family of formats writes its chunks.

    Attributes:
        first: bytes before the first chunk.
        size: format of a size, as `struct` has it.
        id_size: bytes of a chunk's name.
        alignment: of chunks, in bytes.
        own: bytes that a size counts before the content itself.
        sound: name of the chunk of sound.
        empty: bytes of content before the sound.
        unknown: sizes, beside that of no sound, that say nothing.
    """

    first: int
    size: str
    id_size: int
    alignment: int
    own: int
    sound: bytes
    empty: int
    unknown: tuple[range, ...]

    @property
    def header_size(self) -> int:
        return self.id_size + struct.calcsize(self.size)


# sox writes 0x7FFFF000 into a pipe, arecord 0x80000000, ffmpeg 0xFFFFFFFF.
_STREAMED = (
    range(0x7FFFF000, 0x80000040),
    range(0xFFFFFF00, 2**32),
    range(2**64 - 1, 2**64),
)
_KINDS = {
    b"RIFF": _Kind(12, "<I", 4, 2, 0, b"data", 0, _STREAMED),
    b"RIFX": _Kind(12, ">I", 4, 2, 0, b"data", 0, _STREAMED),
    b"RF64": _Kind(12, "<I", 4, 2, 0, b"data", 0, _STREAMED),
    b"BW64": _Kind(12, "<I", 4, 2, 0, b"data", 0, _STREAMED),
    b"FORM": _Kind(12, ">I", 4, 2, 0, b"SSND", 8, _STREAMED),
    b"caff": _Kind(8, ">Q", 4, 1, 0, b"data", 4, _STREAMED[2:]),
    b"riff": _Kind(
        40, "<Q", 16, 8, 24, b"data" + _W64_GUID, 0, (range(2**63 - 1, 2**64),)
    ),
}
_FORMS = (b"WAVE", b"AIFF", b"AIFC")  # of RIFF and FORM: others hold no sound


def find_chunked_sound(
    stream: BinaryIO, start: int, end: int, name: str
) -> list[list[Piece]] | None:
    """Find all the sound of a file of chunks.

    Args:
        stream: the file.
        start: where its first chunk begins.
        end: where the file does.
        name: for messages.

    Returns:
        For each of the files that are joined here (usually one), what a
        decoder should read; None for another format.

    Raises:
        AudioError: truncated, or more bytes than its sizes account for.
    """
    head = _read(stream, start, 12)
    kind = _KINDS.get(head[:4])
    if kind is None or (kind.first == 12 and head[8:] not in _FORMS):
        return None
    sound = _find_chunk(stream, start, end, kind)
    if sound is None:
        return [[range(start, end)]]  # the decoder says what is wrong
    data, size = sound
    ranges, stop = _find_ranges(stream, start, data, size, end, kind, name)
    num_bytes = sum(len(part) for part in ranges)
    if head[:4] == b"riff":
        # The decoder reads to the end, whatever is there.
        pieces: list[Piece] = [range(start, data), *ranges]
    elif (ranges == [range(data, data + size)] and head[:4] != b"BW64") or not ranges:
        pieces = [range(start, end if stop is None else stop)]
    elif kind.sound == b"SSND" or head[:4] == b"caff":
        size_of_size = struct.calcsize(kind.size)
        field = struct.pack(kind.size, min(num_bytes, 256**size_of_size - 1))
        pieces = [range(start, data - size_of_size), field, *ranges]
    else:
        pieces = [*_wave_header(stream, start, data, num_bytes), *ranges]
    if stop is None:
        return [pieces]
    return [pieces, *(find_chunked_sound(stream, stop, end, name) or [])]


def _find_chunk(
    stream: BinaryIO, start: int, end: int, kind: _Kind
) -> tuple[int, int] | None:
    """Where the sound begins, and how many bytes are announced."""
    position, long_size = start + kind.first, None
    for _ in range(_MAX_CHUNKS):
        if position + kind.header_size > end:
            return None
        id, size = _read_header(stream, position, kind)
        position += kind.header_size
        if id == b"ds64":  # of RF64, whose other sizes are of 32 bits
            long_size = int.from_bytes(_read(stream, position + 8, 8), "little")
        if id == kind.sound:
            if long_size is not None and size == 0xFFFFFFFF:
                size = long_size
            return position, size
        position = _align(position + size, start, kind)
    return None


def _find_ranges(
    stream: BinaryIO,
    start: int,
    data: int,
    size: int,
    end: int,
    kind: _Kind,
    name: str,
) -> tuple[list[range], int | None]:
    """The ranges of sound, and where another file begins, if one does."""
    found = end - data
    is_unknown = any(size in sizes for sizes in kind.unknown)
    if is_unknown and size > found:
        return [range(data, end)], None
    if not found:
        return [], None
    if size > found:
        raise truncated(name, found, size, "bytes of sound")
    ranges = [range(data, data + size)] if size > kind.empty else []
    position = data + size
    while end - position > SLACK:
        position = _next(stream, position, start, kind)
        head = _read(stream, position, 4)
        if head in _KINDS:
            return ranges, position
        id, chunk_size = _read_header(stream, position, kind)
        content = position + kind.header_size
        is_name = all(0x20 <= byte < 0x7F for byte in id[:4])
        if not is_name or content + chunk_size > end + SLACK:
            break
        if id == kind.sound:
            first = content + kind.empty
            ranges.append(range(first, min(content + chunk_size, end)))
        position = content + chunk_size
    else:
        return ranges, None
    is_wrapped = len(ranges) == 1 and (found - size) % 2**32 == 0
    if not ranges or is_wrapped or is_unknown:
        return [range(data, end)], None
    if head in (b"TAG ", b"APET") or head[:3] == b"ID3":
        return ranges, None
    if is_empty(stream, position, end):
        return ranges, None
    raise damaged(
        name,
        f"its header announces {size} bytes of sound, but {found} bytes follow "
        f"it, of which {end - position} are no part of any chunk (if they are sound, "
        "`ffmpeg -ignore_length 1 -i OLD NEW` mends the header of a wav)",
    )


def _wave_header(
    stream: BinaryIO, start: int, data: int, num_bytes: int
) -> list[Piece]:
    """A header of WAV for so many bytes of sound, with the old one's format."""
    first = start + 12
    order = ">" if _read(stream, start, 4) == b"RIFX" else "<"
    if _read(stream, first, 4) == b"ds64":
        first += 8 + struct.unpack("<I", _read(stream, first + 4, 4))[0]
    chunks = range(first, data - 8)
    riff_size = 4 + len(chunks) + 8 + num_bytes
    if riff_size < 0xFFFFFFFF:
        magic = b"RIFX" if order == ">" else b"RIFF"
        before = magic + struct.pack(order + "I", riff_size) + b"WAVE"
        return [before, chunks, b"data" + struct.pack(order + "I", num_bytes)]
    ds64 = struct.pack("<IQQQI", 28, riff_size + 36, num_bytes, 0, 0)
    unknown = b"\xff\xff\xff\xff"
    before = b"RF64" + unknown + b"WAVE" + b"ds64" + ds64
    return [before, chunks, b"data" + unknown]


def _next(stream: BinaryIO, position: int, start: int, kind: _Kind) -> int:
    """Where the next chunk begins; some writers forget to align it."""
    aligned = _align(position, start, kind)
    head = _read(stream, position, 4)
    unaligned = aligned != position and all(0x20 <= byte < 0x7F for byte in head)
    return position if unaligned else aligned


def _align(position: int, start: int, kind: _Kind) -> int:
    return position + (start - position) % kind.alignment


def _read_header(stream: BinaryIO, position: int, kind: _Kind) -> tuple[bytes, int]:
    header = _read(stream, position, kind.header_size)
    (size,) = struct.unpack(kind.size, header[kind.id_size :])
    return header[: kind.id_size], max(0, size - kind.own)


def _read(stream: BinaryIO, position: int, num_bytes: int) -> bytes:
    stream.seek(position, os.SEEK_SET)
    return stream.read(num_bytes)
