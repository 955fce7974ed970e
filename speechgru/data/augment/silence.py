"""Silence and a room's background around the words, and in their pauses."""

import math
import random

import torch
from torch import Tensor

from speechgru.data.augment.noise import colored_noise
from speechgru.interfaces import InputError

QUIET = 0.025
"""s, the stretch of a recording whose sound stands for its background."""

SHORTEST_PAUSE = 0.15
"""s; the closure of a plosive, which is as quiet, is shorter."""

PAUSE_MARGIN = 25.0
"""dB below the loudest stretch; what is softer for so long is a pause."""


class Silence:
    """Put silence in front of an utterance, behind it, and into its longest pause.

    It is digital silence, white, pink or brown noise, or noise with the
    spectrum of the recording's own background.

    Args:
        probability: of an utterance to be changed; each of the places has
            silence in half of those.
        shortest: s, of the silence in one place.
        longest: s; the logarithm of the duration is drawn evenly.
        low: dB, the level of the softest noise, of full scale.
        high: dB, of the loudest.
        sample_rate: Hz.
    """

    changes_time = True

    def __init__(
        self,
        probability: float,
        shortest: float,
        longest: float,
        low: float,
        high: float,
        sample_rate: int,
    ) -> None:
        if not 0 <= probability <= 1:
            raise InputError(
                f"augment.silence: probability is {probability}, expected 0 to 1"
            )
        if not 0 < shortest <= longest < math.inf:
            raise InputError(
                f"augment.silence: silence of {shortest} to {longest} s, expected "
                "positive durations, the shortest first"
            )
        if not -math.inf < low <= high < math.inf:
            raise InputError(
                f"augment.silence: noise at {low} to {high} dB, expected low to be no "
                "more than high"
            )
        self.probability = probability
        self.durations = (shortest, longest)
        self.levels = (low, high)
        self.sample_rate = sample_rate

    def __call__(self, waveform: Tensor, generator: random.Random) -> Tensor:
        """Lengthen a waveform (S,) by silence that is drawn."""
        if generator.random() >= self.probability:
            return waveform
        front, pause, behind = (
            self._num_samples(generator) if generator.random() < 0.5 else 0
            for _ in range(3)
        )
        place = find_pause(waveform, self.sample_rate) if pause else None
        if place is None:
            place, pause = len(waveform), 0
        background = self._background(waveform, front + pause + behind, generator)
        return torch.cat(
            [
                background[:front],
                waveform[:place],
                background[front : front + pause],
                waveform[place:],
                background[front + pause :],
            ]
        )

    def shortest(self, duration: float) -> float:
        """The shortest duration, s, that can become of a duration, s."""
        return duration

    def _num_samples(self, generator: random.Random) -> int:
        shortest, longest = self.durations
        duration = shortest * (longest / shortest) ** generator.random()
        return round(duration * self.sample_rate)

    def _background(
        self, waveform: Tensor, num_samples: int, generator: random.Random
    ) -> Tensor:
        """Draw (S,) samples of what is heard between the words."""
        kind = generator.choice(["digital", "colored", "own", "own"])
        level = 10 ** (generator.uniform(*self.levels) / 20)
        numbers = torch.Generator().manual_seed(generator.getrandbits(63))
        if not num_samples or kind == "digital":
            return torch.zeros(num_samples)
        if kind == "own":
            return own_background(waveform, num_samples, self.sample_rate, numbers)
        noise = colored_noise(num_samples, generator.choice([0.0, 1.0, 2.0]), numbers)
        return noise * (level / noise.square().mean().sqrt().clamp(min=1e-12))


def own_background(
    waveform: Tensor, num_samples: int, sample_rate: int, numbers: torch.Generator
) -> Tensor:
    """Draw (num_samples,) of noise as loud and coloured as the quietest stretch."""
    size = min(round(QUIET * sample_rate), len(waveform))
    stretches = waveform.unfold(0, size, max(size // 2, 1))
    quietest = stretches[stretches.square().sum(1).argmin()]
    spectrum = torch.fft.rfft(quietest - quietest.mean()).abs()
    length = 1 << max(num_samples - 1, 1).bit_length()
    shape = torch.nn.functional.interpolate(
        spectrum[None, None], length // 2 + 1, mode="linear", align_corners=True
    )[0, 0]
    noise = torch.fft.rfft(torch.randn(length, generator=numbers))
    # Of white noise, every bin holds the square root of the length.
    return torch.fft.irfft(noise * shape, length)[:num_samples] / math.sqrt(size)


def find_pause(waveform: Tensor, sample_rate: int) -> int | None:
    """The sample in the middle of the longest pause, if there is one."""
    size = max(round(0.01 * sample_rate), 1)
    if len(waveform) < 3 * size:
        return None
    levels = 10 * (waveform.unfold(0, size, size).square().mean(1) + 1e-12).log10()
    quiet = (levels < levels.max() - PAUSE_MARGIN).tolist()
    best, start = (0, 0), None
    for index, is_quiet in enumerate([*quiet, False]):
        if is_quiet and start is None:
            start = index
        elif not is_quiet and start is not None:
            # What is quiet at either end is no pause.
            if start > 0 and index < len(quiet):
                best = max(best, (index - start, start))
            start = None
    num_quiet, first = best
    if num_quiet * size < SHORTEST_PAUSE * sample_rate:
        return None
    return round((first + num_quiet / 2) * size)
