"""Recordings as they are stored in shards."""

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
import soundfile
from torch import Tensor

from speechgru.audio import AudioError, inspect_audio, resample_audio
from speechgru.data.shards.ogg_serial import set_serial
from speechgru.interfaces import InputError
from speechgru.ranges import BITRATE, SAMPLE_RATE, check

OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
"""Hz that Opus can be encoded at."""

_SERIAL = 0x73706772  # of every Opus stream; any number will do
_FULL = 1 << 15


@dataclass(frozen=True)
class Encoding:
    """How every utterance is stored: mono, and, but for Opus, with 16 bits.

    Attributes:
        format: "flac" and "wav" keep samples of 16 bits exactly; "opus" is lossy.
        bitrate: kb/s of Opus, about.
        sample_rate: Hz; None: each recording's own.
    """

    format: Literal["flac", "opus", "wav"] = "flac"
    bitrate: float = 32.0
    sample_rate: int | None = None

    def __post_init__(self) -> None:
        check("bitrate", self.bitrate, BITRATE)
        if self.sample_rate is not None:
            check("sample_rate", self.sample_rate, SAMPLE_RATE)
            self._check_rate(self.sample_rate, "sample_rate")

    @property
    def loss(self) -> str | None:
        """What the format loses, in words; None: nothing beyond 16 bits."""
        if self.format != "opus":
            return None
        return (
            f"Opus at {self.bitrate:g} kb/s is lossy: the sound is not, sample by "
            "sample, that of the corpus"
        )

    def encode(self, waveform: Tensor, rate: int, name: str) -> "Encoded":
        """Encode a recording, the same bytes each time.

        Args:
            waveform: (S,) float32.
            rate: Hz.
            name: for messages.

        Raises:
            InputError: Opus has no such rate.
        """
        if self.sample_rate is not None:
            waveform = resample_audio(waveform, rate, self.sample_rate)
            rate = self.sample_rate
        self._check_rate(rate, name)
        scaled = waveform.numpy().astype(np.float64) * _FULL
        samples = np.rint(scaled)
        num_clipped = int(np.count_nonzero((samples < -_FULL) | (samples >= _FULL)))
        is_rounded = not np.array_equal(samples, scaled)
        content = self._encode(np.clip(samples, -_FULL, _FULL - 1), rate)
        return Encoded(content, rate, len(samples), is_rounded, num_clipped)

    def _encode(self, samples: np.ndarray, rate: int) -> bytes:
        # Integers: libsndfile scales floats by 32767, but reads them back by 32768.
        stream, integers = io.BytesIO(), samples.astype(np.int16)
        if self.format != "opus":
            kind = self.format.upper()
            soundfile.write(stream, integers, rate, format=kind, subtype="PCM_16")
            return stream.getvalue()
        level = (BITRATE.most - self.bitrate) / (BITRATE.most - BITRATE.least)
        soundfile.write(
            stream,
            integers,
            rate,
            format="OGG",
            subtype="OPUS",
            compression_level=level,
        )
        return set_serial(stream.getvalue(), _SERIAL)

    def _check_rate(self, rate: int, name: str) -> None:
        if self.format == "opus" and rate not in OPUS_RATES:
            raise InputError(
                f"{name}: {rate} Hz, but Opus has "
                f"{', '.join(map(str, OPUS_RATES))} Hz only; set "
                "shards.sample_rate=16000, or choose shards.format=flac"
            )


@dataclass(frozen=True)
class Encoded:
    """A recording as it is stored.

    Attributes:
        content: of its file.
        sample_rate: Hz.
        num_samples: of it.
        is_rounded: whether it was finer than 16 bits.
        num_clipped: samples that lay beyond full scale.
    """

    content: bytes
    sample_rate: int
    num_samples: int
    is_rounded: bool
    num_clipped: int

    def check(self, name: str) -> None:
        """See that as many samples can be read as were written.

        Raises:
            AudioError: not so; the encoder is at fault.
        """
        info = inspect_audio(self.content)
        if (info.num_samples, info.sample_rate) != (self.num_samples, self.sample_rate):
            raise AudioError(
                "damaged",
                f"{name}: encoded to {info.num_samples} samples at {info.sample_rate} "
                "Hz, expected "
                f"{self.num_samples} at {self.sample_rate}; choose shards.format=flac",
            )
