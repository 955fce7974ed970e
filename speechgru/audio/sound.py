"""Decoding: the parts of a file to mono float32 samples.

The decoder is soundfile's, whose wheel brings libsndfile: wav, flac, ogg,
opus, mp3, aiff, NIST sph and more.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from io import BytesIO
from typing import BinaryIO, TypeVar

import numpy as np
import soundfile

from speechgru.audio.channels import Mixer
from speechgru.audio.error import AudioError, reason, truncated, undecodable
from speechgru.audio.layout import find_layout
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
    """

    def __init__(self, parts: list[_Decoder], is_mpeg: bool, name: str) -> None:
        self.sample_rate = _common_rate(parts, name)
        self.num_samples = sum(part.num_samples for part in parts)
        self.num_channels = max(part.channels for part in parts)
        self._parts = parts
        self._is_mpeg = is_mpeg
        self._name = name

    def read(self, start: int = 0, count: int | None = None) -> np.ndarray:
        """Decode from `start` on, at most `count` samples.

        Returns:
            (S,) float32, the mean of the channels; shorter only where the
            file ends.

        Raises:
            AudioError: truncated or damaged, or with channels that cancel out.
        """
        stop = self.num_samples if count is None else start + count
        blocks = [np.empty(0, dtype=np.float32)]
        for part in self._parts:
            wanted = range(start, min(stop, part.num_samples))
            if wanted:
                decode = partial(self._decode, part, wanted)
                blocks += _mute(decode, self._name) if self._is_mpeg else decode()
            start = max(0, start - part.num_samples)
            stop -= part.num_samples
        return np.concatenate(blocks)

    def _decode(self, part: _Decoder, wanted: range) -> list[np.ndarray]:
        # Seeking inside MP3 can be silently wrong, too.
        is_seekable = not self._is_mpeg and not _UNSEEKABLE.match(part.subtype)
        try:
            if is_seekable and wanted.start:
                part.seek(wanted.start)
            skipped = 0 if is_seekable else wanted.start
            return self._decode_blocks(part, skipped, len(wanted))
        except RuntimeError as error:
            raise AudioError(
                "truncated",
                f"{self._name}: truncated or damaged, decoding stopped before the end "
                f"({reason(error)}); copy the file again or drop it",
            ) from error

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
def open_sound(source: AudioSource, name: str) -> Iterator[Sound]:
    """Open a source for decoding, and check it as far as its format permits.

    Raises:
        AudioError: missing, 0 bytes, not audio, without samples, of a rate
            that no sound has, truncated or damaged.
    """
    with ExitStack() as stack:
        stream = stack.enter_context(open_stream(source, name))
        layout = find_layout(stream, name)
        if layout.is_mpeg:
            stream = BytesIO(stream.read())  # since it is decoded without open files
        parts = []
        for part in layout.parts:
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
        yield Sound(parts, layout.is_mpeg, name)


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
