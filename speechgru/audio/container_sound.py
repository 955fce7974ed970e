"""The sound of a file that FFmpeg opens, sample by sample."""

import logging
import math
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from speechgru.audio.channels import Mixer
from speechgru.audio.container_frames import decode_frames
from speechgru.audio.containers import open_container
from speechgru.audio.error import check_rate, damaged

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

_logger = logging.getLogger(__name__)
_PREROLL = 1.0  # s decoded in front of an excerpt: codecs need the frames before
_BLOCK = 1 << 18  # samples that are read at once at most
_GAP = 0.5  # s by which timestamps may run ahead of the sound
_SCALES = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31, "s64": 2.0**63}


class ContainerSound:
    """A track that FFmpeg decodes; see `Sound`.

    Attributes:
        sample_rate: Hz.
        num_channels: 1 is mono.
        is_cut_exactly: see `Sound`.

    Args:
        stream: the file; can be read at any position, and is left open.
        name: for messages.

    Raises:
        AudioError: see `open_container`; its first frame is damaged, or of a rate that
            no sound has.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream, self._name = stream, name
        with _Pass(stream, name) as opened:
            self.sample_rate = opened.sample_rate
            self.num_channels = opened.num_channels
            self._announced = opened.announced
            self.is_cut_exactly = opened.find_grid() is not None
        check_rate(self.sample_rate, name)

    @cached_property
    def num_samples(self) -> int:
        """Per channel; where the container does not say it all is decoded.

        Raises:
            AudioError: as `blocks`.
        """
        if self._announced is not None:
            return self._announced
        with _Pass(self._stream, self._name) as decoded:
            return sum(iter(lambda: len(decoded.read(_BLOCK)), 0))

    def blocks(
        self,
        size: int = _BLOCK,
        start: int = 0,
        count: int | None = None,
        channel: int | None = None,
    ) -> Iterator[np.ndarray]:
        """See `Sound.blocks`; damaged also if rate or channels change within it."""
        mixer = Mixer(channel)
        mixer.check(self.num_channels, self._name)
        with ExitStack() as stack:
            decoded = stack.enter_context(_Pass(self._stream, self._name))
            if start > 2 * _PREROLL * self.sample_rate and not decoded.jump(start):
                decoded = stack.enter_context(_Pass(self._stream, self._name))
            left = sys.maxsize if count is None else count
            while left > 0:
                skipped = start - decoded.position
                block = decoded.read(min(size, left if skipped <= 0 else skipped))
                if not len(block):
                    break
                if skipped <= 0:
                    yield mixer.mix(block)
                    left -= len(block)
        mixer.refuse_cancelling(self._name)


class _Pass:
    """One pass through a container, from its start or from where it jumps to.

    Attributes:
        sample_rate: Hz, of the first frame, which knows more than the header does.
        num_channels: of the first frame.
        announced: samples of the track, where the container tells; or None.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._name = name
        self._track = open_container(stream, name)
        try:
            frames = decode_frames(self._track, name)
            first = next(frames, None)
            if first is None:
                raise damaged(name, "not a single frame of its sound can be decoded")
        except BaseException:
            self._track.container.close()
            raise
        self._form = first.sample_rate, first.layout.nb_channels
        self.sample_rate, self.num_channels = self._form
        self.announced = self._find_length()
        self._num_decoded = 0  # samples up to the last frame, from the start
        self._ahead = 0.0  # s by which timestamps run ahead
        self._origin = first.pts
        self._frames: Iterator[AudioFrame] = chain([first], frames)
        self._rest = np.empty((0, self.num_channels), np.float32)

    def __enter__(self) -> "_Pass":
        return self

    def __exit__(self, *_: object) -> None:
        self._track.container.close()

    @property
    def position(self) -> int:
        """Of the next sample that is read."""
        return self._num_decoded - len(self._rest)

    def read(self, count: int) -> np.ndarray:
        """Decode the next samples.

        Returns:
            (at most count, channels) float32; empty only at the end.
        """
        if self.announced is not None:  # the last frame may be longer
            count = min(count, max(0, self.announced - self.position))
        parts, num_read = [self._rest], len(self._rest)
        while num_read < count:
            frame = next(self._frames, None)
            if frame is None:
                break
            parts.append(self._take(frame))
            num_read += len(parts[-1])
        samples = np.concatenate(parts)
        block, self._rest = samples[:count], samples[count:]
        return block

    def jump(self, sample: int) -> bool:
        """Go to somewhat before a sample; False: it is not known where that led to."""
        stream = self._track.stream
        base = stream.time_base
        grid = self.find_grid()
        if grid is None or base is None or self._origin is None:
            return False
        before = sample / self.sample_rate - _PREROLL
        target = self._origin + math.floor(before / base)
        try:
            self._track.container.seek(target, stream=stream)
        except (OSError, ValueError):
            return False
        self._frames = decode_frames(self._track, self._name)
        first = next(self._frames, None)
        if first is None or first.pts is None:
            return False
        seconds = (first.pts - self._origin) * base
        place = grid.snap(float(seconds * self.sample_rate))
        if place is None or first.samples != grid.step > 1:
            return False
        self._num_decoded = place
        self._rest = self._take(first)
        return self.position <= sample

    def find_grid(self) -> "_Grid | None":
        """Where frames can begin; timestamps alone may be too coarse to tell."""
        if self.announced is not None:
            return _Grid(0, 1, 0.5)
        base = self._track.stream.time_base
        begin = [frame.samples for frame in islice(self._frames, 4)]
        if base is None or "matroska" not in self._track.kinds or len(begin) < 4:
            return None
        first, step = begin[:2]
        coarse = 1.5 * float(base) * self.sample_rate + 1
        if set(begin[1:]) != {step} or step < 4 * coarse:
            return None
        return _Grid(first, step, coarse)

    def _find_length(self) -> int | None:
        """Where timestamps tell the sample, in an index that stands apart."""
        stream = self._track.stream
        base, duration = stream.time_base, stream.duration
        if "mov" not in self._track.kinds or not stream.frames or not duration:
            return None
        if base is None or base * self.sample_rate > 1:
            return None
        return round(duration * base * self.sample_rate)

    def _take(self, frame: "AudioFrame") -> np.ndarray:
        """Check a frame, and bring it to (samples, channels) float32."""
        form = frame.sample_rate, frame.layout.nb_channels
        place = self._num_decoded / self.sample_rate
        if form != self._form:
            (rate, channels), (new_rate, new_channels) = self._form, form
            raise damaged(
                self._name,
                f"its sound changes from {rate} Hz and {channels} channels to "
                f"{new_rate} Hz and {new_channels} at {place:.2f} s",
            )
        self._watch(frame, place)
        samples = _to_floats(frame)
        self._num_decoded += len(samples)
        return samples

    def _watch(self, frame: "AudioFrame", place: float) -> None:
        """Say where timestamps jump: there sound is missing."""
        base = self._track.stream.time_base
        if frame.pts is None or base is None or self._origin is None:
            return
        ahead = float((frame.pts - self._origin) * base) - place
        if abs(ahead - self._ahead) > _GAP:
            _logger.warning(
                "%s: its timestamps jump by %.2f s after %.2f s of sound; times of "
                "results count the sound alone",
                self._name,
                ahead - self._ahead,
                place,
            )
            self._ahead = ahead


@dataclass(frozen=True)
class _Grid:
    """Samples at which frames begin, all of which have one length but the first.

    Attributes:
        first: length of the first.
        step: length of the others.
        error: samples by which a timestamp may be wrong.
    """

    first: int
    step: int
    error: float

    def snap(self, place: float) -> int | None:
        """The beginning that a timestamp means; None: it means none."""
        snapped = self.first + self.step * round((place - self.first) / self.step)
        return snapped if abs(snapped - place) <= self.error else None


def _to_floats(frame: "AudioFrame") -> np.ndarray:
    """Bring a frame to (samples, channels) float32 in [-1, 1]."""
    samples = frame.to_ndarray()
    is_planar = frame.format.is_planar
    samples = samples.T if is_planar else samples.reshape(-1, frame.layout.nb_channels)
    kind = frame.format.name.removesuffix("p")
    if kind not in _SCALES:
        return samples.astype(np.float32)
    silence = 128.0 if kind == "u8" else 0.0
    return ((samples.astype(np.float64) - silence) / _SCALES[kind]).astype(np.float32)
