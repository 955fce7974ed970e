"""Other speeds."""

import math
import random
from collections.abc import Sequence

from torch import Tensor
from torchaudio.functional import resample

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
        return waveform if percent == 100 else resample(waveform, percent, 100)

    def shortest(self, duration: float) -> float:
        """The shortest duration, s, that can become of a duration, s."""
        return duration * 100 / max(self.percents)
