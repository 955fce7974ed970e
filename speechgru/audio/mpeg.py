"""The frames of MPEG audio: headers, tags between them, the Xing frame.

Sources: ISO/IEC 11172-3 section 2.4.1, ISO/IEC 13818-3; id3.org, "ID3v2.4";
the Hydrogenaudio wiki, "APEv2" and "LAME info tag".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

# kbit/s by (is version 1, layer), index 1 to 14.
_BIT_RATES = {
    (True, 1): range(32, 449, 32),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAMPLE_RATES: dict[int, tuple[int, ...]] = {
    3: (44100, 48000, 32000),
    2: (22050, 24000, 16000),
}
_SAMPLE_RATES[0] = tuple(rate // 2 for rate in _SAMPLE_RATES[2])  # version 2.5
_SYNC = re.compile(rb"\xff[\xe0-\xff]")


@dataclass(frozen=True)
class Header:
    """Of one frame.

    Attributes:
        size: bytes of the frame, the header's 4 among them.
        num_samples: per channel.
        sample_rate: Hz.
        num_channels: 1 or 2.
        side_size: bytes of side information (layer 3).
        stream: what is the same in all frames of a stream.
    """

    size: int
    num_samples: int
    sample_rate: int
    num_channels: int
    side_size: int
    stream: tuple[int, int, int, int]


@dataclass(frozen=True)
class Frame:
    """Where a frame is."""

    position: int
    header: Header

    @property
    def end(self) -> int:
        return self.position + self.header.size


@lru_cache(maxsize=1024)
def read_header(second: int, third: int, fourth: int) -> Header | None:
    """What the bytes behind 0xFF say; None if they are no header.

    A free format, whose frames do not tell their size, is none, either.
    """
    version, layer = second >> 3 & 3, 4 - (second >> 1 & 3)
    bit_rate, sample_rate = third >> 4, third >> 2 & 3
    if second < 0xE0 or version == 1 or layer == 4 or sample_rate == 3:
        return None
    if bit_rate in (0, 15):
        return None
    is_first = version == 3
    rate = _SAMPLE_RATES[version][sample_rate]
    kbits = _BIT_RATES[is_first, layer][bit_rate - 1]
    padding = third >> 1 & 1
    num_channels = 1 if fourth >> 6 == 3 else 2
    num_samples = {1: 384, 2: 1152, 3: 1152 if is_first else 576}[layer]
    if layer == 1:
        size = (12_000 * kbits // rate + padding) * 4
    else:
        size = num_samples // 8 * 1000 * kbits // rate + padding
    side_size = (17, 32) if is_first else (9, 17)
    return Header(
        size,
        num_samples,
        rate,
        num_channels,
        side_size[num_channels - 1],
        (version, layer, rate, num_channels),
    )


def frame_at(data: bytes, position: int) -> Frame | None:
    """The frame whose header is at a position."""
    head = data[position : position + 4]
    if len(head) < 4 or head[0] != 0xFF:
        return None
    header = read_header(*head[1:])
    return None if header is None else Frame(position, header)


def find_frame(data: bytes, position: int, reach: int | None = None) -> Frame | None:
    """The next frame behind a position that two of its kind follow.

    Two, since any sound holds what looks like a header; at the end of the
    file fewer must do.
    """
    end = len(data) if reach is None else min(len(data), position + reach)
    for match in _SYNC.finditer(data, position, end):
        frame = frame_at(data, match.start())
        if frame is not None and _is_followed(data, frame):
            return frame
    return None


def _is_followed(data: bytes, frame: Frame) -> bool:
    first = frame
    for _ in range(2):
        following = frame_at(data, frame.end)
        if following is None:
            tail = len(data) - frame.end
            return frame is not first and (tail <= 0 or tag_size(data, frame.end) > 0)
        if following.header.stream != first.header.stream:
            return False
        frame = following
    return True


def tag_size(data: bytes, position: int) -> int:
    """Bytes of the tag that begins at a position; 0 if none does."""
    head = data[position : position + 32]
    if head[:3] == b"ID3" and len(head) >= 10 and max(head[6:10]) < 0x80:
        footer = 10 if head[5] & 0x10 else 0
        return 10 + sum(byte << 7 * i for i, byte in enumerate(head[9:5:-1])) + footer
    if head[:3] == b"TAG":
        return 128
    if head[:8] == b"APETAGEX" and len(head) == 32:
        has_header = int.from_bytes(head[20:24], "little") >> 29 & 1  # this is it
        return int.from_bytes(head[12:16], "little") * has_header + 32
    if head[:11] == b"LYRICSBEGIN":
        end = data.find(b"LYRICS200", position)
        return 0 if end < 0 else end + 9 - position
    return 0


def walk(data: bytes, position: int) -> Iterator[Frame | range]:
    """Frames one after another; ranges are what lies between that is neither tag.

    Args:
        data: the whole file.
        position: of the first frame, or of a tag in front of it.
    """
    stream = None
    while position < len(data):
        frame = frame_at(data, position)
        if frame is not None and stream not in (None, frame.header.stream):
            # Another stream, or a header that was hit.
            frame = frame if _is_followed(data, frame) else None
        if frame is not None:
            yield frame
            stream, position = frame.header.stream, frame.end
        elif size := tag_size(data, position):
            position += size
        else:
            following = find_frame(data, position + 1)
            end = len(data) if following is None else following.position
            tail = re.compile(rb"ID3[\x02-\x04]|APETAGEX|LYRICSBEGIN").search(
                data, position + 1, end
            )
            end = end if tail is None else tail.start()
            if end == len(data) > position + 128 and data[-128:-125] == b"TAG":
                end -= 128
            yield range(position, end)
            position = end


def count_announced(data: bytes, frame: Frame) -> int | None:
    """Frames that follow, as a Xing, Info or VBRI frame says; 0 if it does not.

    None for a frame that is no such one.
    """
    position = frame.position + 4 + frame.header.side_size
    # An encoder may put a checksum of 2 bytes behind the header.
    for offset in (0, 2):
        if data[position + offset : position + offset + 4] in (b"Xing", b"Info"):
            flags = data[position + offset + 4 : position + offset + 8]
            count = data[position + offset + 8 : position + offset + 12]
            has_count = len(flags) == 4 and flags[3] & 1
            return int.from_bytes(count, "big") if has_count else 0
    position = frame.position + 36
    if data[position : position + 4] == b"VBRI":
        return int.from_bytes(data[position + 14 : position + 18], "big")
    return None
