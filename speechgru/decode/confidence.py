"""How sure a search is of its words."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from speechgru.decode.n_best import vote
from speechgru.interfaces import Span

LEAST = 1e-3
"""The least that votes and sound count, and the most that votes lack of 1."""

PREFIX = "confidence_"
"""Of the names of these weights, where others stand beside them."""


@dataclass(frozen=True)
class Confidence:
    """The probability that a word is right, from votes and from its sound.

    Votes are the share that texts with this word there have in the probability of all
    texts that were found; its sound, the geometric mean of its tokens' probabilities.
    The log-odds that the word is right are a bias, plus the log-odds of the votes, plus
    the logarithm of the sound, each by its weight. Without a calibration the votes are
    taken as they are.

    Attributes:
        scale: of the scores of texts that vote; below 1, they are more alike.
        bias: added to the log-odds.
        votes: weight of the log-odds of the votes.
        sound: weight of the logarithm of the sound.

    Source:
        Platt, "Probabilistic outputs for support vector machines", 1999, with two
        inputs.
    """

    scale: float = 1.0
    bias: float = 0.0
    votes: float = 1.0
    sound: float = 0.0

    @classmethod
    def of_weights(cls, weights: Mapping[str, float]) -> "Confidence":
        """That of the weights of a search, by their names there."""
        return cls(**{name: weights[f"{PREFIX}{name}"] for name in asdict(cls())})

    @property
    def weights(self) -> dict[str, float]:
        """By their names among the weights of a search."""
        return {f"{PREFIX}{name}": value for name, value in asdict(self).items()}

    def judge(
        self, scores: Mapping[str, float], words: Sequence[Span]
    ) -> tuple[Span, ...]:
        """Words with their confidences.

        Args:
            scores: natural logarithms, by text, the best first.
            words: of the best text; their confidences are those of their sound.
        """
        sounds = [word.confidence for word in words]
        confidences = self.combine(vote(scores, self.scale), sounds)
        return tuple(
            replace(word, confidence=float(confidence))
            for word, confidence in zip(words, confidences, strict=True)
        )

    def combine(self, shares: ArrayLike, sounds: ArrayLike) -> NDArray[np.float64]:
        """(N,) probabilities of words, from their shares of votes and their sounds."""
        if (self.bias, self.votes, self.sound) == (0.0, 1.0, 0.0):
            return np.array(shares, dtype=np.float64)
        weights = np.array([self.bias, self.votes, self.sound])
        return sigmoid(features(shares, sounds) @ weights)


def features(shares: ArrayLike, sounds: ArrayLike) -> NDArray[np.float64]:
    """(N, 3): 1, log-odds of the votes and logarithm of the sound of each word."""
    votes = np.clip(np.asarray(shares, dtype=np.float64), LEAST, 1 - LEAST)
    heard = np.maximum(np.asarray(sounds, dtype=np.float64), LEAST)
    logits = np.log(votes) - np.log1p(-votes)
    return np.stack([np.ones_like(votes), logits, np.log(heard)], axis=1)


def sigmoid(log_odds: ArrayLike) -> NDArray[np.float64]:
    """Probabilities of log-odds."""
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(log_odds, dtype=np.float64)))
