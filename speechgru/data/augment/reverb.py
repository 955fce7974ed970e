"""Reverberation, simulated or by recorded responses of rooms."""

import math
import random
from abc import ABC, abstractmethod

import torch
from torch import Tensor

from speechgru.data.augment.chain import SameTime
from speechgru.data.augment.recordings import Recordings
from speechgru.data.augment.transforms import convolve
from speechgru.ranges import (
    DECIBELS,
    PROBABILITY,
    SAMPLE_RATE,
    Range,
    check,
    check_order,
)

DECAY = Range(0, 30, above=True)
"""s; a cathedral's is 10. A response takes memory by its length."""


class Reverb(SameTime, ABC):
    """Put some utterances into a room; see the subclasses for which.

    The sound that comes straight from the speaker keeps its time and its
    loudness. What sounds on after the end of the utterance is cut off.

    Args:
        probability: of an utterance to be changed.
    """

    def __init__(self, probability: float) -> None:
        check("probability", probability, PROBABILITY)
        self.probability = probability

    def __call__(self, waveform: Tensor, generator: random.Random) -> Tensor:
        """Let a waveform (S,) sound in a room that is drawn."""
        if generator.random() >= self.probability:
            return waveform
        response, direct = self.draw(generator)
        return convolve(waveform, response / response[direct], direct)

    @abstractmethod
    def draw(self, generator: random.Random) -> tuple[Tensor, int]:
        """Draw a response (S,), and the sample at which the direct sound arrives."""


class SimulatedReverb(Reverb):
    """Rooms as noise that dies away exponentially.

    Args:
        shortest_decay: s, until the sound has fallen by 60 dB.
        longest_decay: s.
        lowest_ratio: dB, of the energies of the direct and the other sound.
        highest_ratio: dB.
        probability: of an utterance to be changed.
        sample_rate: Hz.

    Source:
        Polack, "La transmission de l'énergie sonore dans les salles",
        dissertation, Université du Maine, 1988.
    """

    def __init__(
        self,
        shortest_decay: float,
        longest_decay: float,
        lowest_ratio: float,
        highest_ratio: float,
        probability: float,
        sample_rate: int,
    ) -> None:
        super().__init__(probability)
        check_order(
            "shortest_decay", shortest_decay, "longest_decay", longest_decay, DECAY
        )
        check_order(
            "lowest_ratio", lowest_ratio, "highest_ratio", highest_ratio, DECIBELS
        )
        check("sample_rate", sample_rate, SAMPLE_RATE)
        self.decays = (shortest_decay, longest_decay)
        self.ratios = (lowest_ratio, highest_ratio)
        self.sample_rate = sample_rate

    def draw(self, generator: random.Random) -> tuple[Tensor, int]:
        """Draw a response (S,), which begins with the direct sound."""
        decay = generator.uniform(*self.decays)
        ratio = 10 ** (generator.uniform(*self.ratios) / 10)
        numbers = torch.Generator().manual_seed(generator.getrandbits(63))
        num_samples = max(2, int(decay * self.sample_rate))
        time = torch.arange(num_samples) / self.sample_rate
        response = torch.randn(num_samples, generator=numbers)
        response *= torch.exp(time * (-3 * math.log(10) / decay))
        response[0] = 0
        response *= (ratio * response.square().sum()) ** -0.5
        response[0] = 1
        return response, 0


class RecordedReverb(Reverb):
    """Rooms by their recorded impulse responses; the largest value is the direct sound.

    Args:
        folder: of responses, searched with all folders below it.
        probability: of an utterance to be changed.
        sample_rate: Hz, of the speech; others are converted.
    """

    def __init__(self, folder: str, probability: float, sample_rate: int) -> None:
        super().__init__(probability)
        self.recordings = Recordings(folder, sample_rate)

    def draw(self, generator: random.Random) -> tuple[Tensor, int]:
        """Draw a response (S,), and the sample at which the direct sound arrives."""
        response = self.recordings.draw(generator)
        return response, int(response.abs().argmax())
