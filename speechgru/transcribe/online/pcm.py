"""Bytes of uncompressed sound to samples."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from speechgru.audio.resample import SAMPLE_RATES
from speechgru.interfaces import InputError
from speechgru.transcribe.waveform import MAX_CHANNELS


@dataclass(frozen=True)
class Encoding:
    """How a sample is written.

    Attributes:
        width: bytes of a sample.
        decode: bytes of whole samples, as (S,) uint8, to (S,) float32 in [-1, 1].
    """

    width: int
    decode: Callable[[np.ndarray], np.ndarray]


def _integers(kind: str) -> Callable[[np.ndarray], np.ndarray]:
    scale = np.float32(2.0 ** (8 * np.dtype(kind).itemsize - 1))
    return lambda content: content.view(kind).astype(np.float32) / scale


def _floats(kind: str) -> Callable[[np.ndarray], np.ndarray]:
    return lambda content: content.view(kind).astype(np.float32)


def _bytes(content: np.ndarray) -> np.ndarray:
    return (content.astype(np.float32) - 128) / 128


def _three_bytes(content: np.ndarray) -> np.ndarray:
    # The upper three of four bytes, so that the sign is in its place.
    wide = np.zeros((len(content) // 3, 4), np.uint8)
    wide[:, 1:] = content.reshape(-1, 3)
    return _integers("<i4")(wide.reshape(-1))


@cache
def _laws() -> dict[str, np.ndarray]:
    """The 256 values of each law of ITU-T G.711."""
    codes = np.arange(256)
    inverted = ~codes & 0xFF
    steps = (inverted & 0x0F) * 2 + 33
    mulaw = (steps << (inverted >> 4 & 7)) - 33
    mulaw = np.where(inverted & 0x80, -mulaw, mulaw) * 4
    toggled = codes ^ 0x55
    segments = toggled >> 4 & 7
    steps = (toggled & 0x0F) * 2 + 1 + 32 * (segments > 0)
    alaw = (steps << np.maximum(segments - 1, 0)) * 8
    alaw = np.where(toggled & 0x80, alaw, -alaw)
    return {
        "mulaw": (mulaw / 2**15).astype(np.float32),
        "alaw": (alaw / 2**15).astype(np.float32),
    }


ENCODINGS = {
    "u8": Encoding(1, _bytes),
    "s16le": Encoding(2, _integers("<i2")),
    "s24le": Encoding(3, _three_bytes),
    "s32le": Encoding(4, _integers("<i4")),
    "f32le": Encoding(4, _floats("<f4")),
    "f64le": Encoding(8, _floats("<f8")),
    "mulaw": Encoding(1, lambda content: _laws()["mulaw"][content]),
    "alaw": Encoding(1, lambda content: _laws()["alaw"][content]),
}
"""By the names that ffmpeg gives them; `stream` takes these as encoding=."""


@dataclass(frozen=True)
class RawSound:
    """What the bytes of a stream mean.

    Attributes:
        encoding: a name of `ENCODINGS`.
        channels: interleaved.
        sample_rate: Hz.

    Raises:
        InputError: there is no such sound.
    """

    encoding: str
    channels: int
    sample_rate: int

    def __post_init__(self) -> None:
        if self.channels not in range(1, MAX_CHANNELS + 1):
            raise InputError(
                f"the sound has {self.channels} channels, expected 1 to {MAX_CHANNELS}"
            )
        if self.sample_rate not in SAMPLE_RATES:
            raise InputError(
                f"the sound has {self.sample_rate} Hz, expected "
                f"{SAMPLE_RATES.start} to {SAMPLE_RATES.stop - 1}"
            )

    @property
    def frame_size(self) -> int:
        """Bytes of a sample of all channels."""
        return ENCODINGS[self.encoding].width * self.channels

    def decode(self, content: bytes) -> np.ndarray:
        """Bytes of whole frames to (S, channels) float32 in [-1, 1]."""
        decoded = ENCODINGS[self.encoding].decode(np.frombuffer(content, np.uint8))
        return decoded.reshape(-1, self.channels)

    def __str__(self) -> str:
        plural = "" if self.channels == 1 else "s"
        return (
            f"{self.encoding}, {self.channels} channel{plural}, {self.sample_rate} Hz"
        )
