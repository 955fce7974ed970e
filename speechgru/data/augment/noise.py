"""Additive noise, made or recorded."""

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from speechgru.data.augment.chain import SameTime
from speechgru.data.augment.recordings import Recordings
from speechgru.data.augment.transforms import inverse_transform, power_of_two
from speechgru.ranges import (
    DECIBELS,
    PROBABILITY,
    Range,
    check,
    check_each,
    check_order,
)


class Noise(SameTime, ABC):
    """Add noise to some utterances; see the subclasses for which.

    Args:
        low: dB, the lowest ratio of the energies of speech and noise.
        high: dB, the highest.
        probability: of an utterance to be changed.
    """

    def __init__(self, low: float, high: float, probability: float) -> None:
        check_order("low", low, "high", high, DECIBELS)
        check("probability", probability, PROBABILITY)
        self.low = low
        self.high = high
        self.probability = probability

    def __call__(self, waveform: Tensor, generator: random.Random) -> Tensor:
        """Add noise to a waveform (S,), at a ratio that is drawn."""
        if generator.random() >= self.probability:
            return waveform
        loudness = _loudness(waveform)
        if not loudness:
            return waveform
        noise = self.draw(len(waveform), generator)
        of_noise = _loudness(noise)
        if not of_noise:
            return waveform
        ratio = 10 ** (generator.uniform(self.low, self.high) / 20)
        return torch.add(waveform, noise, alpha=loudness / (ratio * of_noise))

    @abstractmethod
    def draw(self, num_samples: int, generator: random.Random) -> Tensor:
        """Draw (S,) samples of noise, at any loudness."""


class ColoredNoise(Noise):
    """Add noise whose power falls with a power of the frequency.

    Args:
        exponents: to draw from; 0 is white noise, 1 pink, 2 brown.
        low: dB, the lowest ratio of the energies of speech and noise.
        high: dB, the highest.
        probability: of an utterance to be changed.

    Source:
        Timmer and Koenig, "On generating power law noise", Astronomy and
        Astrophysics 300, 1995.
    """

    def __init__(
        self, exponents: Sequence[float], low: float, high: float, probability: float
    ) -> None:
        super().__init__(low, high, probability)
        check_each("exponents", exponents, Range(0, 4))
        self.exponents = list(exponents)

    def draw(self, num_samples: int, generator: random.Random) -> Tensor:
        """Draw (S,) samples of noise."""
        numbers = torch.Generator().manual_seed(generator.getrandbits(63))
        exponent = generator.choice(self.exponents)
        return colored_noise(num_samples, exponent, numbers)


def colored_noise(
    num_samples: int, exponent: float, numbers: torch.Generator
) -> Tensor:
    """Draw (num_samples,) whose power falls with this power of the frequency."""
    length = power_of_two(max(num_samples, 2))
    spectrum = torch.randn(length // 2 + 1, dtype=torch.complex64, generator=numbers)
    if exponent:
        torch.view_as_real(spectrum).view(-1).mul_(_slope(length, exponent))
    return inverse_transform(spectrum)[:num_samples]


@lru_cache(16)
def _slope(length: int, exponent: float) -> Tensor:
    """(length + 2,) by which amplitudes fall, real and imaginary parts in turn."""
    frequencies = torch.arange(length // 2 + 1, dtype=torch.float64).clamp(min=1)
    return (frequencies ** (-exponent / 2)).float().repeat_interleave(2)


def _loudness(waveform: Tensor) -> float:
    return float(torch.linalg.vector_norm(waveform))


class RecordedNoise(Noise):
    """Add a stretch of a recording, repeated where it is too short.

    Args:
        folder: of recordings, searched with all folders below it.
        low: dB, the lowest ratio of the energies of speech and noise.
        high: dB, the highest.
        probability: of an utterance to be changed.
        sample_rate: Hz, of the speech; others are converted.
    """

    def __init__(
        self,
        folder: str,
        low: float,
        high: float,
        probability: float,
        sample_rate: int,
    ) -> None:
        super().__init__(low, high, probability)
        self.recordings = Recordings(folder, sample_rate)

    def draw(self, num_samples: int, generator: random.Random) -> Tensor:
        """Draw (S,) samples of noise."""
        recording = self.recordings.draw(generator)
        start = generator.randrange(len(recording))
        times = -(-(start + num_samples) // len(recording))
        return recording.repeat(times)[start : start + num_samples]
