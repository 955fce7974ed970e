"""Training utterances without words, so that a model learns to hear nothing."""

import math
import random
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from speechgru.data.augment.noise import colored_noise
from speechgru.data.randomness import keyed_seed
from speechgru.ranges import PROBABILITY, check

SOFTEST, LOUDEST = -90.0, -15.0
"""dB of full scale, levels of what is made."""


class Wordless:
    """Silence, noise, hum and clicks, made anew in every epoch.

    Args:
        share: of so many utterances without words among those with words.
        durations: s, of the utterances with words; those without are as long.
        sample_rate: Hz.
        seed: of the run.
    """

    def __init__(
        self,
        share: float,
        durations: Sequence[float] | NDArray[np.float64],
        sample_rate: int,
        seed: int,
    ) -> None:
        check("wordless", share, PROBABILITY)
        generator = random.Random(keyed_seed("wordless", seed))
        count = math.ceil(share * len(durations))
        drawn = [generator.randrange(len(durations)) for _ in range(count)]
        self.durations = np.asarray(durations)[np.array(drawn, dtype=np.int64)]
        self.sample_rate = sample_rate
        self.seed = seed

    def __len__(self) -> int:
        """How many there are in an epoch."""
        return len(self.durations)

    def load(self, index: int, epoch: int, view: int = 0) -> Tensor:
        """Make (S,) samples of one of them, as it sounds in a view of an epoch."""
        num_samples = round(self.durations[index] * self.sample_rate)
        key = keyed_seed("wordless", self.seed, epoch, index, view)
        return make_sound(num_samples, self.sample_rate, random.Random(key))


def make_sound(num_samples: int, sample_rate: int, generator: random.Random) -> Tensor:
    """Draw (num_samples,) of a sound that holds no words, within [-1, 1]."""
    numbers = torch.Generator().manual_seed(generator.getrandbits(63))
    floor = generator.choice([0.0, draw_level(generator, LOUDEST - 30)])
    sound = floor * at_level_1(
        colored_noise(num_samples, generator.choice([0.0, 1.0]), numbers)
    )
    level = draw_level(generator, LOUDEST)
    kind = generator.choice(["silence", "noise", "noise", "hum", "clicks"])
    if kind == "noise":
        noise = colored_noise(num_samples, generator.uniform(0, 2), numbers)
        sound = sound + level * at_level_1(noise)
    elif kind == "hum":
        sound = sound + level * at_level_1(_hum(num_samples, sample_rate, generator))
    elif kind == "clicks":
        sound = sound + _clicks(num_samples, sample_rate, generator, numbers)
    return sound.clamp(-1, 1)


def draw_level(generator: random.Random, loudest: float) -> float:
    """Draw a root mean square between `SOFTEST` and `loudest`, in dB."""
    return 10 ** (generator.uniform(SOFTEST, loudest) / 20)


def at_level_1(sound: Tensor) -> Tensor:
    """Give (S,) samples a root mean square of 1."""
    return sound / sound.square().mean().sqrt().clamp(min=1e-12)


def _hum(num_samples: int, sample_rate: int, generator: random.Random) -> Tensor:
    """The mains, or a machine, with some of its harmonics."""
    fundamental = generator.choice([50.0, 60.0, generator.uniform(30, 400)])
    time = torch.arange(num_samples) / sample_rate
    hum = torch.zeros(num_samples)
    for harmonic in range(1, generator.randint(1, 10) + 1):
        frequency = harmonic * fundamental
        if frequency < sample_rate / 2:
            phase = generator.uniform(0, 2 * math.pi)
            size = generator.random() / harmonic
            hum += size * torch.sin(2 * math.pi * frequency * time + phase)
    return hum


def _clicks(
    num_samples: int,
    sample_rate: int,
    generator: random.Random,
    numbers: torch.Generator,
) -> Tensor:
    """Short bursts at any times: switches, keys, bad contacts."""
    clicks = torch.zeros(num_samples)
    for _ in range(generator.randint(1, max(1, num_samples * 5 // sample_rate))):
        start = generator.randrange(num_samples)
        size = min(
            round(generator.uniform(0.0001, 0.02) * sample_rate) + 1,
            num_samples - start,
        )
        fade = torch.exp(-5 * torch.arange(size) / size)
        burst = torch.randn(size, generator=numbers) * fade
        peak = 10 ** (generator.uniform(-50, 0) / 20)
        clicks[start : start + size] += peak * burst / burst.abs().max().clamp(min=1e-9)
    return clicks
