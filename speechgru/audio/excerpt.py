"""Frames of an MP3 that sound alone as they do in the whole.

What a decoder makes of a frame depends on those before it: up to 511 bytes of their
data (the bit reservoir), the second half of the last transform, and 480 samples in the
filter bank. So some frames in front are decoded, too. Those whose own data is not all
there are silenced: libmpg123 would give up some of them half-way, and its filter bank
would stand elsewhere in its ring of 16 places. Excerpts begin at every 8th frame, where
that ring is as in the whole; so the same numbers are summed in the same order. Only
behind bits that were flipped the ring may stand elsewhere in the whole, and samples
differ by rounding.

Sources: ISO/IEC 11172-3 section 2.4.1.7 (main_data_begin), ISO/IEC 13818-3 section
2.4.1.7; the Hydrogenaudio wiki, "LAME info tag".
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from speechgru.audio.mpeg import Frame, Header, frame_at
from speechgru.audio.splice import Part

_STEP = 8  # frames between two of the index
_NUM_SOUND = 2  # frames in front that must be decoded from all their data
_NUM_BEHIND = 2  # frames that the decoder may want to look at
_DECODER_DELAY = 529  # samples that libmpg123 leaves out beside the encoder's
_LAYER_3 = 3


@dataclass(frozen=True)
class FrameIndex:
    """Where the frames of a stream are, which follow each other without gaps.

    Attributes:
        header: of the first.
        tag: the frame in front that says how many there are; empty: none.
        positions: of every 8th frame in the file, and the end of the last.
        num_frames: how many there are.
        left_out: samples that the decoder leaves out at the start and at the end.
    """

    header: Header
    tag: bytes
    positions: array
    num_frames: int
    left_out: tuple[int, int]

    def head(self, stream: BinaryIO) -> tuple[Part, Part]:
        """The first frames with their tag, and without it."""
        end = self.positions[min(2, len(self.positions) - 1)]
        stream.seek(self.positions[0])
        frames = _split(stream.read(end - self.positions[0]))
        data = b"".join(frames)
        return Part((self.tag, data, bytes(1 << 16))), _to_part(frames)

    def cut(
        self, stream: BinaryIO, offset: float, duration: float
    ) -> tuple[Part, int] | None:
        """Frames with which an excerpt sounds as in the whole.

        Args:
            stream: the file.
            offset: s from the start.
            duration: s.

        Returns:
            What to decode, and its first sample's place in the whole. None: decode the
            whole: too little is saved, or some are not in the file.
        """
        at_start, at_end = self.left_out
        size, rate = self.header.num_samples, self.header.sample_rate
        start, count = round(offset * rate), round(duration * rate)
        if start + count > self.num_frames * size - at_start - at_end:
            return None
        wanted = (start + at_start) // size
        last = (start + at_start + count - 1) // size + _NUM_BEHIND
        stop = min(-(-(last + 1) // _STEP), len(self.positions) - 1)
        begin = wanted // _STEP
        while begin > 0:
            begin = max(0, begin - 2)
            stream.seek(self.positions[begin])
            frames = _split(stream.read(self.positions[stop] - self.positions[begin]))
            if not frames:
                return None  # the file is another now
            num_silent = _silence(frames) if begin else 0
            if begin and begin * _STEP + num_silent + _NUM_SOUND <= wanted:
                return _to_part(frames), begin * _STEP * size - at_start
        return None


def index_frames(
    data: bytes, tag: Frame | None, frames: Sequence[Frame]
) -> FrameIndex | None:
    """Find out where the frames of a stream are.

    Returns:
        None for what cannot be cut: other layers than 3, gaps between frames, or a
        stream that begins with frames whose data is in others that are not there.
    """
    if not frames or 4 - (data[frames[0].position + 1] >> 1 & 3) != _LAYER_3:
        return None
    if frames[-1].end - frames[0].position != sum(f.header.size for f in frames):
        return None
    begin = [data[f.position : f.end] for f in frames[: 8 * _STEP]]
    if _silence([bytearray(frame) for frame in begin]):
        return None
    positions = array("Q", [frame.position for frame in frames[::_STEP]])
    positions.append(frames[-1].end)
    head, left_out = b"", (0, 0)
    if tag is not None:
        head = data[tag.position : tag.end]
        found = _read_left_out(head, 4 + tag.header.side_size)
        if found is None:
            return None
        left_out = found
    return FrameIndex(frames[0].header, head, positions, len(frames), left_out)


def _read_left_out(tag: bytes, position: int) -> tuple[int, int] | None:
    """Samples at the start and at the end that a Xing tag says to leave out."""
    if tag[position : position + 4] not in (b"Xing", b"Info"):
        return None
    flags = int.from_bytes(tag[position + 4 : position + 8], "big")
    fields = zip((1, 2, 4, 8), (4, 4, 100, 4), strict=True)
    position += 8 + sum(size for bit, size in fields if flags & bit)
    lame = tag[position : position + 24]
    if len(lame) < 24 or not lame[0]:
        return 0, 0
    delay, padding = lame[21] << 4 | lame[22] >> 4, (lame[22] & 15) << 8 | lame[23]
    return delay + _DECODER_DELAY, max(0, padding - _DECODER_DELAY)


def _split(data: bytes) -> list[bytearray]:
    """Frames one after another; none if there is something else among them."""
    frames, position = [], 0
    while position < len(data):
        frame = frame_at(data, position)
        if frame is None or frame.end > len(data):
            return []
        frames.append(bytearray(data[position : frame.end]))
        position = frame.end
    return frames


def _silence(frames: Sequence[bytearray]) -> int:
    """Silence what needs data of frames before the first, and count up to the last."""
    num_silent = available = 0
    for number, frame in enumerate(frames):
        side_size = _header(frame).side_size
        is_first = frame[1] >> 3 & 3 == 3  # version 1
        side = 4 if frame[1] & 1 else 6  # a checksum is in between
        needed = frame[side] << 1 | frame[side + 1] >> 7 if is_first else frame[side]
        most = 511 if is_first else 255
        if needed > available:
            num_silent = number + 1
            # What is available is kept, for those behind; the lengths are all 0.
            frame[side : side + side_size] = bytes(side_size)
            frame[side] = available >> 1 if is_first else available
            frame[side + 1] = (available & 1) << 7 if is_first else 0
        available = min(most, available + len(frame) - side - side_size)
        if available == most and number > num_silent:
            break  # none can need more
    return num_silent


def _header(frame: bytearray) -> Header:
    found = frame_at(bytes(frame[:4]), 0)
    assert found is not None  # it was found as one
    return found.header


def _to_part(frames: Sequence[bytearray]) -> Part:
    header = _header(frames[0])
    data = b"".join(frames)
    # As for a stream without a tag: see mp3.py.
    zeros = bytes(max(0, len(frames) * (header.size + 1) - len(data)) + (1 << 16))
    return Part((data, zeros), len(frames) * header.num_samples)
