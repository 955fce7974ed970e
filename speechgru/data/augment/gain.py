"""Other loudness."""

import random

from torch import Tensor

from speechgru.data.augment.chain import SameTime
from speechgru.ranges import DECIBELS, check_order


class Gain(SameTime):
    """Make each utterance louder or softer; beyond full scale nothing is clipped.

    Args:
        low: dB, of the least gain.
        high: dB, of the largest.
    """

    def __init__(self, low: float, high: float) -> None:
        check_order("low", low, "high", high, DECIBELS)
        self.low = low
        self.high = high

    def __call__(self, waveform: Tensor, generator: random.Random) -> Tensor:
        """Multiply a waveform (S,) by a gain that is drawn."""
        return waveform * 10 ** (generator.uniform(self.low, self.high) / 20)
