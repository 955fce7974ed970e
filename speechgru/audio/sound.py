"""Decoding: the parts of a file to mono float32 samples.

The decoder is soundfile's, whose wheel brings libsndfile: wav, flac, ogg,
opus, mp3, aiff, NIST sph and more.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache, partial
from io import BytesIO
from typing import BinaryIO, TypeVar

import numpy as np
import soundfile

from speechgru.audio.channels import Mixer
from speechgru.audio.error import AudioError, reason, truncated, undecodable
from speechgru.audio.layout import Layout, find_layout
from speechgru.audio.muted import call_muted
from speechgru.audio.resample import SAMPLE_RATES
from speechgru.audio.source import AudioSource, open_stream
from speechgru.audio.splice import Part

_logger = logging.getLogger(__name__)
_Result = TypeVar("_Result")
_BLOCK = 1 << 20  # samples decoded at a time: a header's claim allocates nothing
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


class Sound:
    """An open file, of one part or of several.

    Attributes:
        sample_rate: Hz.
        num_samples: per channel.
        num_channels: 1 is mono.

    Args:
        parts: one behind another.
        is_mpeg: MP3, or another layer of MPEG.
        name: for messages.
        first: sample of the file that the first part begins with.
    """

    def __init__(
        self, parts: list[_Decoder], is_mpeg: bool, name: str, first: int = 0
    ) -> None:
        self.sample_rate = _common_rate(parts, name)
        self.num_samples = sum(part.num_samples for part in parts)
        self.num_channels = max(part.channels for part in parts)
        self._parts = parts
        self._is_mpeg = is_mpeg
        self._name = name
        self._first = first

    def read(self, start: int = 0, count: int | None = None) -> np.ndarray:
        """Decode from `start` on, at most `count` samples.

        Returns:
            (S,) float32, the mean of the channels; shorter only where the
            file ends.

        Raises:
            AudioError: truncated or damaged, or with channels that cancel out.
        """
        stop = self.num_samples if count is None else start + count
        start, stop = start - self._first, stop - self._first
        blocks = [np.empty(0, dtype=np.float32)]
        for part in self._parts:
            wanted = range(start, min(stop, part.num_samples))
            if wanted:
                decode = partial(self._decode, part, wanted)
                blocks += _mute(decode, self._name) if self._is_mpeg else decode()
            start = max(0, start - part.num_samples)
            stop -= part.num_samples
        return np.concatenate(blocks)

    def blocks(self, size: int) -> Iterator[np.ndarray]:
        """Decode all of it from the start on, at most `size` samples at a time.

        Returns:
            (S,) float32, the mean of the channels.

        Raises:
            AudioError: as `read`, once all is decoded that can be.
        """
        for part in self._parts:
            mixer, num_read = Mixer(), 0
            while num_read < part.num_samples:
                count = min(size, part.num_samples - num_read)
                block = self._decode_next(part, count)
                if len(block) == 0:
                    raise truncated(self._name, num_read, part.num_samples, "samples")
                num_read += len(block)
                yield mixer.average(block)
            if mixer.cancels:
                raise AudioError(
                    "cancelling-channels", f"{self._name}: {mixer.explain()}"
                )

    def _decode_next(self, part: _Decoder, count: int) -> np.ndarray:
        """(S, C) of a part, which goes forward."""
        read = partial(part.read, count, dtype="float32", always_2d=True)
        try:
            return _mute(read, self._name) if self._is_mpeg else read()
        except RuntimeError as error:
            raise self._stopped(error) from error

    def _stopped(self, error: RuntimeError) -> AudioError:
        return AudioError(
            "truncated",
            f"{self._name}: truncated or damaged, decoding stopped before the end "
            f"({reason(error)}); copy the file again or drop it",
        )

    def _decode(self, part: _Decoder, wanted: range) -> list[np.ndarray]:
        # Seeking inside MP3 can be silently wrong, too.
        is_seekable = not self._is_mpeg and not _UNSEEKABLE.match(part.subtype)
        try:
            if is_seekable and wanted.start:
                part.seek(wanted.start)
            skipped = 0 if is_seekable else wanted.start
            return self._decode_blocks(part, skipped, len(wanted))
        except RuntimeError as error:
            raise self._stopped(error) from error

    def _decode_blocks(
        self, part: _Decoder, num_skipped: int, num_wanted: int
    ) -> list[np.ndarray]:
        blocks, num_read, mixer = [], 0, Mixer()
        num_frames = num_skipped + num_wanted
        while num_read < num_frames:
            # The edge of what is skipped is one of a block.
            edge = num_frames if num_read >= num_skipped else num_skipped
            count = min(max(1, _BLOCK // part.channels), edge - num_read)
            block = part.read(count, dtype="float32", always_2d=True)
            if len(block) == 0:
                raise truncated(
                    self._name, max(0, num_read - num_skipped), num_wanted, "samples"
                )
            if num_read >= num_skipped:
                blocks.append(mixer.average(block))
            num_read += len(block)
        if mixer.cancels:
            raise AudioError("cancelling-channels", f"{self._name}: {mixer.explain()}")
        return blocks


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
                raise undecodable(name, error) from error
            parts.append(stack.enter_context(decoder))
        if not any(part.num_samples for part in parts):
            raise AudioError(
                "no-samples",
                f"{name}: a header without samples, expected audio; "
                "record it again or drop it",
            )
        yield Sound(parts, layout.is_mpeg, name, first)


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
    if first not in SAMPLE_RATES:
        raise AudioError(
            "sample-rate",
            f"{name}: sample_rate is {first} Hz, expected {SAMPLE_RATES.start} to "
            f"{SAMPLE_RATES.stop - 1}: its header is damaged; convert it anew from its "
            "source or drop it",
        )
    return first


def _mute(function: Callable[[], _Result], name: str) -> _Result:
    """Call libmpg123; what it writes of damage becomes a warning with a name."""
    result, written = call_muted(function)
    errors = dict.fromkeys(re.findall(r"^\[.*\] error: (.*)$", written, re.MULTILINE))
    if errors:
        _logger.warning("%s: damaged: %s", name, "; ".join(errors))
    return result
