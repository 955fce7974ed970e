"""MP3 as streams of whole frames, of which the decoder misses none.

libsndfile takes the length of a file from the first frame: from its Xing tag,
or by a guess from its bit rate. It stops there, and loses what is behind: the
next of several files that are joined, or the end of one of variable bit rate.
So every stream is given to it alone, without other tags, and without a Xing
tag its frames are counted.

What shows damage: bytes between frames that are no tag, fewer frames than a
Xing tag says, a last frame that is cut, and the checksum over all frames that
LAME leaves. Without such a tag nobody can tell whether whole frames are
missing, nor that bits inside of frames were changed.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import BinaryIO

from speechgru.audio.crc16 import crc16
from speechgru.audio.error import damaged, truncated
from speechgru.audio.excerpt import FrameIndex, index_frames
from speechgru.audio.mpeg import Frame, count_announced, find_frame, walk
from speechgru.audio.splice import Part
from speechgru.audio.tail import SLACK

_logger = logging.getLogger(__name__)
_REACH = 1 << 16  # bytes in front of the first frame
_LAME_SIZE = 36  # bytes of LAME's part of the tag


class _Stream:
    """Frames that belong together, behind their tag if they have one."""

    def __init__(self, tag: Frame | None, announced: int) -> None:
        self.tag = tag
        self.announced = announced  # frames; 0 is unknown
        self.frames: list[Frame] = []

    @property
    def is_complete(self) -> bool:
        return 0 < self.announced <= len(self.frames)


def find_mp3_streams(
    stream: BinaryIO, start: int, end: int, name: str
) -> tuple[list[Part], FrameIndex | None] | None:
    """Find the streams of frames of an MP3, or of another layer of MPEG.

    Args:
        stream: the file.
        start: where to begin, behind tags.
        end: where the file ends.
        name: for messages.

    Returns:
        The streams (usually one), and where the frames of a single one are, if it can
        be cut; None for another format, or frames that do not tell their size.

    Raises:
        AudioError: damaged or truncated, as far as it shows.
    """
    stream.seek(0)
    data = stream.read(end)
    first = find_frame(data, start, _REACH)
    if first is None:
        return None
    if any(data[start : first.position]):
        _logger.warning(
            "%s: %d bytes in front are neither frames of MPEG nor a tag",
            name,
            first.position - start,
        )
    streams = _find_streams(data, first.position, name)
    parts = [part for found in streams for part in _to_parts(data, found, name)]
    if len(parts) > 1 or len(streams) > 1 or not streams:
        return parts, None
    (only,) = streams
    if only.tag is not None and only.announced != len(only.frames):
        return parts, None
    return parts, index_frames(data, only.tag, only.frames)


def _find_streams(data: bytes, position: int, name: str) -> list[_Stream]:
    streams: list[_Stream] = []
    for item in walk(data, position):
        if isinstance(item, range):
            _check_gap(data, item, streams[-1], name)
            continue
        announced = count_announced(data, item)
        if announced is not None:
            streams.append(_Stream(item, announced))
            continue
        if item.end > len(data):
            found = len(data) - item.position
            if streams and streams[-1].is_complete:
                continue
            raise truncated(name, found, item.header.size, "bytes of its last frame")
        last = streams[-1] if streams else None
        kind = None if last is None else (last.tag or last.frames[0]).header.stream
        if kind != item.header.stream:
            streams.append(_Stream(None, 0))
        streams[-1].frames.append(item)
    return streams


def _check_gap(data: bytes, gap: range, stream: _Stream, name: str) -> None:
    if stream.is_complete:
        return
    where = f"{len(gap)} bytes at byte {gap.start} of {len(data)}"
    if gap.stop < len(data) or any(data[gap.start : gap.stop]):
        raise damaged(name, f"{where} are neither frames of MPEG nor a tag")
    if len(gap) > SLACK:
        _logger.warning("%s: %s are zero, where sound may have been", name, where)


def _to_parts(data: bytes, stream: _Stream, name: str) -> list[Part]:
    frames = stream.frames
    if not frames and not stream.announced:
        return []
    if stream.tag is None or not stream.announced:
        return [_untagged(frames)]
    # Some encoders count the tag's own frame.
    if len(frames) < stream.announced - 1:
        raise truncated(name, len(frames), stream.announced, "frames")
    if len(frames) > stream.announced + 1:
        rest = frames[stream.announced :]
        frames = frames[: stream.announced]
    else:
        rest = []
    tag = data[stream.tag.position : stream.tag.end]
    ranges = tuple(_merge([stream.tag, *frames]))
    music = b"".join(data[part.start : part.stop] for part in _merge(frames))
    if _is_changed(tag, music):
        _logger.warning(
            "%s: does not match the checksums of its LAME tag: it is damaged, or was "
            "edited since",
            name,
        )
    return [Part(ranges), *([_untagged(rest)] if rest else [])]


def _is_changed(tag: bytes, music: bytes) -> bool:
    """Whether LAME's checksums are there, of the tag and of the frames, but wrong."""
    position = tag.find(b"LAME")
    lame = tag[position : position + _LAME_SIZE]
    if position < 0 or len(lame) < _LAME_SIZE or not any(lame[28:]):
        return False
    length = int.from_bytes(lame[28:32], "big")
    music_sum, tag_sum = lame[32:34], lame[34:36]
    if crc16(tag[: position + 34]).to_bytes(2, "big") != tag_sum:
        return True
    # Another length is that of a file that was cut or joined on purpose.
    is_whole = length == len(tag) + len(music)
    return is_whole and crc16(music).to_bytes(2, "big") != music_sum


def _untagged(frames: Sequence[Frame]) -> Part:
    """Frames of which nothing says how many they are."""
    first = frames[0].header
    ranges = _merge(frames)
    size = sum(len(part) for part in ranges)
    # The decoder divides the size of the file by that of the first frame: with
    # enough zeros behind, which are never read, its guess is not too short.
    zeros = bytes(max(0, len(frames) * (first.size + 1) - size) + (1 << 16))
    return Part((*ranges, zeros), len(frames) * first.num_samples)


def _merge(frames: Iterable[Frame]) -> list[range]:
    """The ranges that frames cover."""
    starts: list[int] = []
    stops: list[int] = []
    for frame in frames:
        if stops and stops[-1] == frame.position:
            stops[-1] = frame.end
        else:
            starts.append(frame.position)
            stops.append(frame.end)
    return [range(start, stop) for start, stop in zip(starts, stops, strict=True)]
