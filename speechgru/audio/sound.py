"""Decoding: the parts of a file to mono float32 samples.

The decoder is soundfile's, whose wheel brings libsndfile: wav, flac, ogg,
opus, mp3, aiff, NIST sph and more. What it does not know, FFmpeg may.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache, partial
from io import BytesIO
from typing import BinaryIO, Protocol, TypeVar

import numpy as np
import soundfile

from speechgru.audio.channels import Mixer
from speechgru.audio.container_sound import ContainerSound
from speechgru.audio.containers import explain_undecodable
from speechgru.audio.error import (
    AudioError,
    check_rate,
    reason,
    truncated,
    undecodable,
)
from speechgru.audio.layout import Layout, find_layout
from speechgru.audio.muted import call_muted
from speechgru.audio.source import AudioSource, open_stream
from speechgru.audio.splice import Part

_logger = logging.getLogger(__name__)
_Result = TypeVar("_Result")
BLOCK = 1 << 20
"""Samples decoded at a time: a header's claim allocates nothing."""

# Decoders that cannot begin in the middle.
_UNSEEKABLE = re.compile(r"GSM610|G72[13]_|NMS_ADPCM_|DPCM_\d|DWVW_")


class _Decoder(soundfile.SoundFile):
    """A decoder that goes forward, unless it is told to seek.

    After every block soundfile seeks to where it already is; in an MP3 that
    changes the sound behind, and some decoders cannot do it at all.
    """

    def __init__(self, part: Part, stream: BinaryIO) -> None:
        super().__init__(part.open(stream))
        self.num_samples = part.num_samples or self.frames

    def seekable(self) -> bool:
        return False


class Sound(Protocol):
    """An open file.

    Attributes:
        sample_rate: Hz.
        num_channels: 1 is mono.
        is_cut_exactly: whether a part is read without decoding all in front of it.
    """

    sample_rate: int
    num_channels: int
    is_cut_exactly: bool

    @property
    def num_samples(self) -> int:
        """Per channel; some files are decoded for it."""

    def blocks(
        self,
        size: int = BLOCK,
        start: int = 0,
        count: int | None = None,
        channel: int | None = None,
    ) -> Iterator[np.ndarray]:
        """Decode block by block, in memory that does not grow with the length.

        Args:
            size: samples of a block at most.
            start: the first sample that is wanted.
            count: samples that are wanted at most; None: to the end.
            channel: the one to take, from 0; None: the mean of all.

        Returns:
            (S,) float32 each, in order.

        Raises:
            AudioError: truncated or damaged, without that channel, or, when all is
                decoded, with channels that cancel out.
        """


class _Parts:
    """What soundfile decodes, of one part or of several.

    Args:
        parts: one behind another.
        layout: that they were found in.
        name: for messages.
        first: sample of the file that the first part begins with.
    """

    def __init__(
        self, parts: list[_Decoder], layout: Layout, name: str, first: int = 0
    ) -> None:
        self.sample_rate = _common_rate(parts, name)
        self.num_samples = sum(part.num_samples for part in parts)
        self.num_channels = max(part.channels for part in parts)
        self.is_cut_exactly = not layout.is_mpeg or layout.index is not None
        self._parts = parts
        self._is_mpeg = layout.is_mpeg
        self._name = name
        self._first = first

    def blocks(
        self,
        size: int = BLOCK,
        start: int = 0,
        count: int | None = None,
        channel: int | None = None,
    ) -> Iterator[np.ndarray]:
        """See `Sound.blocks`."""
        stop = self.num_samples if count is None else start + count
        start, stop = start - self._first, stop - self._first
        for part in self._parts:
            wanted = range(start, min(stop, part.num_samples))
            if wanted:
                mixer = Mixer(channel)
                mixer.check(part.channels, self._name)
                for block in self._decode(part, wanted, size):
                    yield mixer.mix(block)
                mixer.refuse_cancelling(self._name)
            start = max(0, start - part.num_samples)
            stop -= part.num_samples

    def _decode(self, part: _Decoder, wanted: range, size: int) -> Iterator[np.ndarray]:
        """Samples of a part, (at most size, C)."""
        # Seeking inside MP3 can be silently wrong, too.
        is_seekable = not self._is_mpeg and not _UNSEEKABLE.match(part.subtype)
        position = 0
        if is_seekable and wanted.start:
            self._call(partial(part.seek, wanted.start))
            position = wanted.start
        while position < wanted.stop:
            # The edge of what is skipped is one of a block.
            edge = wanted.stop if position >= wanted.start else wanted.start
            most = min(size, max(1, BLOCK // part.channels))
            count = min(most, edge - position)
            read = partial(part.read, count, dtype="float32", always_2d=True)
            block = self._call(read)
            if len(block) == 0:
                found = max(0, position - wanted.start)
                raise truncated(self._name, found, len(wanted), "samples")
            if position >= wanted.start:
                yield block
            position += len(block)

    def _call(self, function: Callable[[], _Result]) -> _Result:
        try:
            return _mute(function, self._name) if self._is_mpeg else function()
        except RuntimeError as error:
            raise AudioError(
                "truncated",
                f"{self._name}: truncated or damaged, decoding stopped before the end "
                f"({reason(error)}); copy the file again or drop it",
            ) from error


@contextmanager
def open_sound(
    source: AudioSource, name: str, excerpt: tuple[float, float] | None = None
) -> Iterator[Sound]:
    """Open a source for decoding, and check it as far as its format permits.

    Args:
        source: see `read_audio`.
        name: for messages.
        excerpt: offset and duration, in s, of what is read of it; None: all.

    Raises:
        AudioError: missing, 0 bytes, not audio, without samples, of a rate
            that no sound has, truncated or damaged.
    """
    with ExitStack() as stack:
        stream = stack.enter_context(open_stream(source, name))
        layout = find_layout(stream, name)
        cut = None if excerpt is None else _cut(layout, stream, *excerpt)
        wanted, first = (layout.parts, 0) if cut is None else ((cut[0],), cut[1])
        if cut is not None:
            stream = BytesIO()  # the part holds all that is read
        parts = []
        for part in wanted:
            open_part = partial(_Decoder, part, stream)
            try:
                decoder = _mute(open_part, name) if layout.is_mpeg else open_part()
            except (RuntimeError, TypeError, ValueError) as error:
                if layout.is_mpeg or len(wanted) > 1:
                    raise undecodable(name, error) from error
                file = part.open(stream)
                if (refusal := explain_undecodable(file, name, error)) is not None:
                    raise refusal from error
                yield ContainerSound(file, name)
                return
            parts.append(stack.enter_context(decoder))
        if not any(part.num_samples for part in parts):
            raise AudioError(
                "no-samples",
                f"{name}: a header without samples, expected audio; "
                "record it again or drop it",
            )
        yield _Parts(parts, layout, name, first)


def _cut(
    layout: Layout, stream: BinaryIO, offset: float, duration: float
) -> tuple[Part, int] | None:
    """What to decode for an excerpt of an MP3, and its first sample; None: all."""
    index = layout.index
    if index is None:
        return None
    cut = index.cut(stream, offset, duration)
    if cut is not None and index.tag:
        tagged, untagged = index.head(stream)
        if not _leaves_out(tagged, untagged, index.left_out[0]):
            cut = None
    stream.seek(0)
    return cut


@lru_cache(64)
def _leaves_out(tagged: Part, untagged: Part, count: int) -> bool:
    """Whether the decoder leaves out so many samples of frames behind a tag."""

    # The decoder wants to look at two frames behind.
    num_all = (untagged.num_samples or 0) - 2 * 1152

    def decode(part: Part, num_samples: int) -> np.ndarray:
        with _Decoder(part, BytesIO()) as decoder:
            return decoder.read(num_samples, dtype="float32", always_2d=True)

    if num_all <= count:
        return False
    try:
        behind, _ = call_muted(lambda: decode(tagged, num_all - count))
        every, _ = call_muted(lambda: decode(untagged, num_all))
    except RuntimeError:
        return False
    return np.array_equal(behind, every[count:])


def _common_rate(parts: list[_Decoder], name: str) -> int:
    first, *others = dict.fromkeys(part.samplerate for part in parts)
    if others:
        raise AudioError(
            "sample-rate",
            f"{name}: files of {first} and {others[0]} Hz are joined in it, expected "
            "one rate; take them apart",
        )
    check_rate(first, name)
    return first


def _mute(function: Callable[[], _Result], name: str) -> _Result:
    """Call libmpg123; what it writes of damage becomes a warning with a name."""
    result, written = call_muted(function)
    errors = dict.fromkeys(re.findall(r"^\[.*\] error: (.*)$", written, re.MULTILINE))
    if errors:
        _logger.warning("%s: damaged: %s", name, "; ".join(errors))
    return result
