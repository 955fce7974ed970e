"""Which parts of a source a decoder should read, one after another."""

import os
from dataclasses import dataclass
from typing import BinaryIO

from speechgru.audio.chunks import find_chunked_sound
from speechgru.audio.error import AudioError
from speechgru.audio.excerpt import FrameIndex
from speechgru.audio.flac import find_flac_streams
from speechgru.audio.headers import find_sound_behind_header
from speechgru.audio.mp3 import find_mp3_streams
from speechgru.audio.mpeg import frame_at, tag_size
from speechgru.audio.ogg import find_ogg_streams
from speechgru.audio.splice import Part

_FINDERS = (
    find_chunked_sound,
    find_flac_streams,
    find_ogg_streams,
    find_sound_behind_header,
)


@dataclass(frozen=True)
class Layout:
    """What a decoder should read.

    Attributes:
        parts: one after another; usually the whole file.
        is_mpeg: MP3, or another layer of MPEG.
        index: where the frames of an MP3 are, if it can be cut.
    """

    parts: tuple[Part, ...]
    is_mpeg: bool = False
    index: FrameIndex | None = None


_MOST_KEPT = 64
_kept: dict[tuple[int, int, int, int], Layout] = {}  # by file, size and time


def find_layout(stream: BinaryIO, name: str) -> Layout:
    """Check a source as far as its format permits, and find its parts.

    Layouts of the last files are kept, since a long one may be read in
    hundreds of segments.

    Args:
        stream: can be read at any position; is left at its start.
        name: for messages.

    Raises:
        AudioError: truncated or damaged.
    """
    try:
        status = os.fstat(stream.fileno())
    except OSError:  # in memory
        layout = _find(stream, name)
    else:
        key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        layout = _kept.get(key) or _find(stream, name)
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()  # simple, and safe in threads
        _kept[key] = layout
    stream.seek(0)
    return layout


def _find(stream: BinaryIO, name: str) -> Layout:
    end = stream.seek(0, os.SEEK_END)
    start = _skip_tags(stream)
    for find in _FINDERS:
        try:
            parts = find(stream, start, end, name)
        except RecursionError as error:
            raise AudioError(
                "damaged",
                f"{name}: hundreds of files joined end to end, expected fewer; cut "
                "them apart",
            ) from error
        if parts is not None:
            return Layout(tuple(map(Part.of, parts)))
    whole = Part((range(end),))  # the decoder may know it
    stream.seek(start)
    if frame_at(stream.read(4), 0) is None:
        return Layout((whole,))
    streams, index = find_mp3_streams(stream, start, end, name) or ([], None)
    return Layout(tuple(streams or [whole]), is_mpeg=True, index=index)


def _skip_tags(stream: BinaryIO) -> int:
    """Where the audio begins: any format may have ID3 tags in front."""
    start = 0
    while True:
        stream.seek(start)
        head = stream.read(10)
        size = tag_size(head, 0) if head[:3] == b"ID3" else 0
        if not size:
            return start
        start += size
