"""Frames of a track one after another, and whether all of them are there.

A file may end in the middle of a frame, as where a recorder was killed: then the
frames before it are heard, and this is said. But where the container says how long
it lasts, and ends before, or where frames inside are damaged, that is an error.
"""

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from speechgru.audio.containers import Track, explain
from speechgru.audio.error import AudioError, damaged

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.packet import Packet

_logger = logging.getLogger(__name__)
_SLACK = 0.2  # s that a last frame may lack
_SPARSE = 2.0  # s at the end without a picture or a subtitle
# Containers that write down how long they last; of others FFmpeg guesses it.
_TELLING = {"mov", "matroska", "flv", "asf", "wv", "tta", "ape", "tak"}


def decode_frames(track: Track, name: str) -> Iterator["AudioFrame"]:
    """Decode a track from where its container stands.

    Args:
        track: its container is open.
        name: for messages.

    Raises:
        AudioError: truncated or damaged; how much was read is said.
    """
    import av

    reached = heard = 0.0  # s: the end of the packets, and of the track's frames
    failure: Exception | None = None
    is_mov = "mov" in track.kinds
    # Its index tells where the sound is, so nothing else need be read. PyAV 17, the
    # last for Python 3.10, reads all.
    if is_mov and hasattr(av.stream, "Discard"):
        for other in track.container.streams:
            if other.index != track.stream.index:
                other.discard = av.stream.Discard.all
    try:
        for packet in track.container.demux():
            is_heard = packet.stream.index == track.stream.index
            if is_heard or not is_mov:  # which says how long each track is
                reached = max(reached, _end(packet))
            if not is_heard:
                continue
            if failure is not None and packet.size:
                raise _damaged(name, failure, heard)
            try:
                frames = track.stream.decode(packet)
            except (av.FFmpegError, ValueError) as error:
                failure = error
                continue
            for frame in frames:
                heard += frame.samples / (frame.sample_rate or 1)
                yield frame
    except (av.FFmpegError, IndexError) as error:
        raise _damaged(name, error, heard) from error
    _check_end(track, name, reached, heard)
    if failure is not None:
        _logger.warning(
            "%s: its last frame is cut or damaged (%s): heard up to %.2f s",
            name,
            explain(failure),
            heard,
        )


def _end(packet: "Packet") -> float:
    if packet.pts is None or packet.time_base is None:
        return 0.0
    return float((packet.pts + (packet.duration or 0)) * packet.time_base)


def _check_end(track: Track, name: str, reached: float, heard: float) -> None:
    """See that nothing is missing of what the container announces."""
    announced = _announced(track)
    slack = _SLACK if track.is_alone or "mov" in track.kinds else _SPARSE
    if announced is None or reached >= announced - slack:
        return
    raise AudioError(
        "truncated",
        f"{name}: truncated, {reached:.2f} of the {announced:.2f} s that it announces "
        "are there; copy the file again, or name an excerpt that ends before, or drop "
        "it",
    )


def _announced(track: Track) -> float | None:
    """s that the container lasts, where that is written in it."""
    import av

    stream, duration = track.stream, track.container.duration
    if "mov" in track.kinds and stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    # FFmpeg's guess by the bit rate becomes the stream's as well.
    is_guess = stream.duration is not None and track.kinds & {"matroska", "flv"}
    if duration is None or is_guess or not track.kinds & _TELLING:
        return None
    return duration / av.time_base


def _damaged(name: str, error: Exception, heard: float) -> AudioError:
    return damaged(
        name,
        f"after {heard:.2f} s of sound FFmpeg finds {explain(error)}",
    )
