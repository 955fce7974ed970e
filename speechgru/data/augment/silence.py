"""Silence and a room's background around the words, and in their pauses."""

import math
import random

import torch
from torch import Tensor

from speechgru.data.augment.noise import colored_noise
from speechgru.ranges import DECIBELS, PROBABILITY, Range, check, check_order

DURATION = Range(0, 600, above=True)
"""s; more is no pause, and fills the memory."""

QUIET = 0.025
"""s, the stretch of a recording whose sound stands for its background."""

SHORTEST_PAUSE = 0.15
"""s; the closure of a plosive, which is as quiet, is shorter."""

PAUSE_MARGIN = 25.0
"""dB below the loudest stretch; what is softer for so long is a pause."""


class Silence:
    """Put silence in front of an utterance, behind it, and into its longest pause.

    How much an utterance gets is drawn once for all epochs, of which kind (see
    `Background`) and where anew in each.

    Args:
        probability: of an utterance to get any.
        least: s, of all silence that an utterance gets.
        most: s; the logarithm of the duration is drawn evenly.
        low, high: see `Background`.
        sample_rate: Hz.
    """

    changes_time = True

    def __init__(
        self,
        probability: float,
        least: float,
        most: float,
        low: float,
        high: float,
        sample_rate: int,
    ) -> None:
        check("probability", probability, PROBABILITY)
        check_order("least", least, "most", most, DURATION)
        self.background = Background(low, high, sample_rate)
        self.probability = probability
        self.durations = (least, most)
        self.sample_rate = sample_rate

    def added(self, generator: random.Random) -> float:
        """Draw how much silence an utterance gets, in s."""
        if generator.random() >= self.probability:
            return 0.0
        least, most = self.durations
        return least * (most / least) ** generator.random()

    def lengthen(
        self, waveform: Tensor, seconds: float, generator: random.Random
    ) -> Tensor:
        """Put so much silence around a waveform (S,), and into its longest pause."""
        num_samples = round(seconds * self.sample_rate)
        if not num_samples:
            return waveform
        # Each place has none in a third of the cases, but one of them has some.
        weights = [generator.random() * (generator.random() < 2 / 3) for _ in range(3)]
        place = find_pause(waveform, self.sample_rate)
        if place is None:
            place, weights[1] = len(waveform), 0.0
        if not any(weights):
            weights[generator.choice([0, 2])] = 1.0
        front = round(num_samples * weights[0] / sum(weights))
        pause = round(num_samples * weights[1] / sum(weights))
        background = self.background.draw(waveform, num_samples, generator)
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


class Background:
    """What is heard between the words of a recording.

    It is digital silence, white, pink or brown noise, or noise with the spectrum of
    the recording's own background.

    Args:
        low: dB, the level of the softest noise, of full scale.
        high: dB, of the loudest.
        sample_rate: Hz.
    """

    def __init__(self, low: float, high: float, sample_rate: int) -> None:
        check_order("low", low, "high", high, DECIBELS)
        self.levels = (low, high)
        self.sample_rate = sample_rate

    def draw(
        self, waveform: Tensor, num_samples: int, generator: random.Random
    ) -> Tensor:
        """Draw (num_samples,) of what is heard between the words of a waveform (S,)."""
        kind = generator.choice(["digital", "colored", "own", "own"])
        level = 10 ** (generator.uniform(*self.levels) / 20)
        numbers = torch.Generator().manual_seed(generator.getrandbits(63))
        if kind == "digital":
            return torch.zeros(num_samples)
        if kind == "own":
            return own_background(waveform, num_samples, self.sample_rate, numbers)
        exponent = generator.choice([0.0, 1.0, 2.0])
        noise = colored_noise(num_samples, exponent, numbers)
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
