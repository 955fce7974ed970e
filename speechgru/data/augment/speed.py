"""Other speeds."""

import math
import random
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import pad
from torchaudio.transforms import Resample

from speechgru.ranges import OptionError, Range, check_each


class SpeedPerturbation:
    """Play each utterance at a speed drawn from a few, pitch included.

    Args:
        factors: speeds to draw from, each with two decimals at most; 1.0
            leaves the utterance as it is.

    Source:
        Ko et al., "Audio Augmentation for Speech Recognition", Interspeech
        2015.
    """

    changes_time = True

    def __init__(self, factors: Sequence[float]) -> None:
        check_each("factors", factors, Range(0.5, 2.0))
        percents = [round(factor * 100) for factor in factors]
        if any(
            abs(percent / 100 - factor) > 1e-9
            for percent, factor in zip(percents, factors, strict=True)
        ):
            raise OptionError(
                f"factors is {list(factors)}, expected speeds from 0.5 to 2.0 with at "
                "most two decimals"
            )
        self.percents = percents

    def __call__(self, waveform: Tensor, generator: random.Random) -> Tensor:
        """Change the speed of a waveform (S,) by a factor that is drawn."""
        return self.change_speed(waveform, generator, math.inf)

    def change_speed(
        self, waveform: Tensor, generator: random.Random, fastest: float
    ) -> Tensor:
        """Change the speed of a waveform (S,) by a factor that is drawn.

        A factor above `fastest`, which is 1 or more, becomes that, rounded down to
        two decimals.
        """
        percent = min(
            generator.choice(self.percents),
            # What is hardly below a whole number is one, but for rounding.
            math.floor(min(fastest, 2.0) * 100 + 1e-9),
        )
        # Fewer samples, played at the old rate, are faster.
        return waveform if percent == 100 else play(waveform, percent)

    def shortest(self, duration: float) -> float:
        """The shortest duration, s, that can become of a duration, s."""
        return duration * 100 / max(self.percents)


_NUM_COLUMNS = 20
"""Samples that one row of the product makes: enough for it to be fast."""


def play(waveform: Tensor, percent: int) -> Tensor:
    """Play a waveform (S,) at a speed: what torchaudio's `resample` makes of it.

    That convolves once for each position that a new sample can have between old ones;
    one product of matrices for several of them takes a third of the time.

    Returns:
        (S',), S' being 100 / percent times S, rounded up.
    """
    table, reach, old, new = _table(percent)
    num_samples = -(-len(waveform) * 100 // percent)
    num_rows = -(-num_samples // new)
    behind = (num_rows - 1) * old + len(table) - reach - len(waveform)
    padded = pad(waveform, (reach, behind))
    rows = padded.as_strided((num_rows, len(table)), (old, 1))
    return (rows @ table).view(-1)[:num_samples]


@lru_cache(64)
def _table(percent: int) -> tuple[Tensor, int, int, int]:
    """The filter as a matrix, which old samples make new ones by.

    Returns:
        (K, N) weights; old samples in front of the first that a row begins at; old
        samples between the rows; N.
    """
    # In single precision torchaudio's sinc is off by up to 2e-5.
    made = Resample(percent, 100, dtype=torch.float64)
    divisor = math.gcd(percent, 100)
    old, new = percent // divisor, 100 // divisor
    kernel = made.kernel[:, 0].T.float()  # (k, new)
    size = len(kernel)
    times = max(1, _NUM_COLUMNS // new)
    table = torch.zeros(size + old * (times - 1), new * times)
    for i in range(times):
        table[i * old : i * old + size, i * new : (i + 1) * new] = kernel
    return table, made.width, old * times, new * times
