"""Where a FLAC stream ends, which its header need not say.

An encoder that writes into a pipe leaves the number of samples at 0. Every
frame says its position, under a checksum; the last one tells the length.

Source: RFC 9639, sections 8.2 and 9.1.
"""

import re
from dataclasses import dataclass
from typing import BinaryIO

from speechgru.audio.error import damaged, truncated
from speechgru.audio.splice import Piece

_START = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")  # and a STREAMINFO of 34 bytes
_BLOCK = 1 << 20
_SYNC = re.compile(rb"\xff[\xf8\xf9]")


@dataclass(frozen=True)
class _StreamInfo:
    """Of the first metadata block, what the length depends on."""

    max_block: int
    num_channels: int
    bits: int
    num_samples: int


def find_flac_streams(
    stream: BinaryIO, start: int, end: int, name: str
) -> list[list[Piece]] | None:
    """Find the FLAC streams of a file, each with its true number of samples.

    Args, returns as `find_ogg_streams`.

    Raises:
        AudioError: fewer samples than announced, or no frames.
    """
    stream.seek(start)
    if _START.match(stream.read(8)) is None:
        return None
    starts = _find_starts(stream, start, end)
    return [
        _whole_stream(stream, first, stop, name)
        for first, stop in zip(starts, [*starts[1:], end], strict=True)
    ]


def _find_starts(stream: BinaryIO, start: int, end: int) -> list[int]:
    """Where streams begin; files that are joined have several."""
    starts, position, block = [], start, b""
    stream.seek(start)
    while position < end and (read := stream.read(min(_BLOCK, end - position))):
        block = block[-7:] + read  # 7: of a start across two blocks
        offset = position + len(read) - len(block)
        starts += [offset + match.start() for match in _START.finditer(block)]
        position += len(read)
    return starts


def _whole_stream(stream: BinaryIO, start: int, end: int, name: str) -> list[Piece]:
    stream.seek(start + 8)
    block = stream.read(34)
    if len(block) < 34:
        return [range(start, end)]  # the decoder says what is wrong
    packed = int.from_bytes(block[10:18], "big")
    info = _StreamInfo(
        max_block=int.from_bytes(block[2:4], "big"),
        num_channels=(packed >> 41 & 7) + 1,
        bits=(packed >> 36 & 31) + 1,
        num_samples=packed & (1 << 36) - 1,
    )
    found = _count_samples(stream, start, end, info)
    if found is None:
        if info.num_samples:
            return [range(start, end)]
        raise damaged(name, "no frame of FLAC was found")
    if found < info.num_samples:
        raise truncated(name, found, info.num_samples, "samples")
    if found == info.num_samples:
        return [range(start, end)]
    field = (packed & ~((1 << 36) - 1) | found).to_bytes(8, "big")
    # MD5, the 16 bytes behind it, belongs to the announced length: 0 is unknown.
    return [range(start, start + 18), field, bytes(16), range(start + 42, end)]


def _count_samples(
    stream: BinaryIO, start: int, end: int, info: _StreamInfo
) -> int | None:
    """The end of the last frame, in samples; None if no frame is found."""
    # A frame is hardly larger than its samples uncompressed.
    reach = info.max_block * info.num_channels * (info.bits + 7) // 8 + 4096
    position = max(start + 42, end - reach)
    stream.seek(position)
    tail = stream.read(end - position)
    for match in reversed(list(_SYNC.finditer(tail))):
        if (num_samples := _frame_end(tail[match.start() :][:16], info)) is not None:
            return num_samples
    return None


def _frame_end(header: bytes, info: _StreamInfo) -> int | None:
    """The samples before and in a frame; None if this is no frame's header."""
    if len(header) < 6:
        return None
    block_code, rate_code = header[2] >> 4, header[2] & 15
    channel_code, bits_code = header[3] >> 4, header[3] >> 1 & 7
    bits = {1: 8, 2: 12, 4: 16, 5: 20, 6: 24, 7: 32}.get(bits_code, info.bits)
    num_channels = channel_code + 1 if channel_code < 8 else 2
    wrong = (num_channels, bits) != (info.num_channels, info.bits)
    if wrong or not block_code or rate_code == 15 or channel_code > 10 or header[3] & 1:
        return None
    number, position = _coded_number(header)
    if number is None:
        return None
    if block_code in (6, 7):
        width = block_code - 5
        block = int.from_bytes(header[position : position + width], "big") + 1
        position += width
    elif block_code == 1:
        block = 192
    else:
        block = (576 << block_code - 2) if block_code < 6 else 256 << block_code - 8
    position += {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if position >= len(header) or _crc8(header[:position]) != header[position]:
        return None
    is_variable = header[1] & 1
    return (number if is_variable else number * info.max_block) + block


def _coded_number(header: bytes) -> tuple[int | None, int]:
    """The frame's or sample's number, coded like a character of UTF-8."""
    first = header[4]
    if first < 0x80:
        return first, 5
    num_more = f"{first:08b}".find("0") - 1
    more = header[5 : 5 + num_more]
    if not 1 <= num_more <= 6 or len(more) < num_more:
        return None, 5
    number = first & (0x3F >> num_more)
    for byte in more:
        if byte >> 6 != 2:
            return None, 5
        number = number << 6 | byte & 0x3F
    return number, 5 + num_more


def _crc8(header: bytes) -> int:
    """CRC-8 with polynomial 0x07."""
    crc = 0
    for byte in header:
        crc ^= byte
        for _ in range(8):
            crc = crc << 1 ^ (0x107 if crc & 0x80 else 0)
    return crc
