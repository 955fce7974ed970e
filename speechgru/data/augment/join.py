"""Several utterances one after the other, with pauses between them."""

import random

from torch import Tensor

from speechgru.data.augment.silence import Background
from speechgru.ranges import PROBABILITY, Range, check, check_order, whole

PAUSE = Range(0, 60)
"""s."""

MOST = whole(2, 100)
"""Utterances."""


class Join:
    """Join the utterances of some steps: a model then learns to bear long recordings.

    A step is joined as a whole, by as many utterances each time, so that it is padded
    no more than before. How long the pause behind an utterance is, is drawn once for
    all epochs, what is heard in it anew in each; see `Background`.

    Augmentations that are named before `join` change single utterances; those behind
    it, such as noise, what has been joined.

    Args:
        probability: of a step to be joined.
        most: utterances in a recording; at least 2 are joined.
        shortest: s, of a pause.
        longest: s.
        low, high: of the pauses; see `Background`.
        sample_rate: Hz.
    """

    changes_time = True

    def __init__(
        self,
        probability: float,
        most: int,
        shortest: float,
        longest: float,
        low: float,
        high: float,
        sample_rate: int,
    ) -> None:
        check("probability", probability, PROBABILITY)
        check("most", most, MOST)
        check_order("shortest", shortest, "longest", longest, PAUSE)
        self.probability = probability
        self.most = most
        self.pauses = (shortest, longest)
        self.background = Background(low, high, sample_rate)

    def num_joined(self, generator: random.Random) -> int:
        """Draw how many utterances of a step make a recording; 1: none is joined."""
        if generator.random() >= self.probability:
            return 1
        return generator.randint(2, self.most)

    def pause_behind(self, generator: random.Random) -> float:
        """Draw how long, in s, the pause behind an utterance is."""
        return generator.uniform(*self.pauses)

    def pause(
        self, waveform: Tensor, num_samples: int, generator: random.Random
    ) -> Tensor:
        """Draw (num_samples,) of what is heard behind a waveform (S,)."""
        return self.background.draw(waveform, num_samples, generator)
