"""Confidences that tell how often words are right, learnt from a dev split."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from speechgru.decode.confidence import Confidence, features, sigmoid
from speechgru.decode.n_best import vote
from speechgru.decode.spans import group_words
from speechgru.interfaces import Hypothesis, InputError
from speechgru.score.calibration import Calibration, calibrate_pairs, judge_words
from speechgru.score.results import make_result

SCALES = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0)
"""Of the scores behind votes; the most probable on dev is kept."""

USUAL = np.array([0.0, 1.0, 0.0])
"""Bias, and weights of votes and sound: the votes as they are."""


@dataclass(frozen=True)
class Trust:
    """How far confidences can be trusted.

    Attributes:
        confidence: how they are made.
        calibration: of the words.
        surprise: mean negative natural log-probability that they give to what words
            were, right or wrong.
    """

    confidence: Confidence
    calibration: Calibration
    surprise: float


def mends(before: Trust, after: Trust) -> bool:
    """Whether confidences that were calibrated can be trusted more."""
    return after.calibration.error < before.calibration.error


@dataclass(frozen=True)
class Judged:
    """The words that a search has heard, each with its sound, and whether it is right.

    Attributes:
        scores: of the texts of each utterance, the best first.
        sounds: (N,), geometric means of the probabilities of the words' tokens.
        are_right: (N,) 1 or 0.
    """

    scores: Sequence[dict[str, float]]
    sounds: NDArray[np.float64]
    are_right: NDArray[np.float64]

    @classmethod
    def of(
        cls, references: Sequence[str], hypotheses: Sequence[Hypothesis]
    ) -> "Judged":
        """Hold the best text of each utterance against its reference."""
        scores = []
        pairs: list[tuple[float, bool]] = []
        for reference, hypothesis in zip(references, hypotheses, strict=True):
            text = hypothesis.text
            words = tuple(group_words([*hypothesis.tokens], text))
            result = make_result("", reference, text, "levenshtein", words=words)
            if judged := judge_words(result):
                scores.append(scores_of(hypothesis))
                pairs += judged
        sounds, are_right = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
        return cls(scores, sounds, are_right)

    def votes(self, scale: float) -> list[float]:
        """The share of votes of each word."""
        return [share for scores in self.scores for share in vote(scores, scale)]

    def trust(self, confidence: Confidence, votes: Sequence[float]) -> Trust:
        """How far the words can be trusted with such confidences."""
        chances = confidence.combine(votes, self.sounds)
        calibration = calibrate_pairs(
            [*zip(map(float, chances), map(bool, self.are_right), strict=True)]
        )
        assert calibration is not None
        of_what_was = np.where(self.are_right == 1, chances, 1 - chances)
        # No search can be surer than this.
        surprise = -np.log(np.maximum(of_what_was, 1e-3)).mean()
        return Trust(confidence, calibration, float(surprise))


def find_trust(
    references: Sequence[str], hypotheses: Sequence[Hypothesis]
) -> tuple[Trust, Trust]:
    """How far confidences can be trusted, as searched and as calibrated.

    Args:
        references: of some utterances.
        hypotheses: of them, with all texts that were found.

    Raises:
        InputError: no word was heard.
    """
    judged = Judged.of(references, hypotheses)
    if not judged.scores:
        raise InputError(
            "no word was heard with the best weights, expected some; check the "
            "checkpoint by speechgru evaluate, without a language model"
        )
    before = judged.trust(Confidence(), judged.votes(1.0))
    calibrated = []
    for scale in SCALES:
        votes = judged.votes(scale)
        weights = fit(features(votes, judged.sounds), judged.are_right)
        confidence = Confidence(scale, *(round(float(each), 4) for each in weights))
        calibrated.append(judged.trust(confidence, votes))
    return before, min(calibrated, key=lambda trust: trust.surprise)


def scores_of(hypothesis: Hypothesis) -> dict[str, float]:
    """Those of its texts, the best first, as `vote` and `Rescoring` take them."""
    others = {each.text: each.score for each in hypothesis.alternatives}
    return {hypothesis.text: hypothesis.score, **others}


def fit(
    inputs: NDArray[np.float64], are_right: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Find the weights of a logistic regression that make what was most probable.

    A normal prior of variance 1 about `USUAL` keeps few words from saying too much.
    Weights of votes and of sound are not negative: what speaks for a word never makes
    it less sure.

    Args:
        inputs: (N, 3), of `features`.
        are_right: (N,) 1 or 0.

    Returns:
        (3,) bias, and weights of votes and sound.
    """
    free = np.array([True, True, True])
    while True:
        weights = np.zeros(3)
        weights[free] = _newton(inputs[:, free], are_right, USUAL[free])
        negative = weights[1:] < 0
        if not negative.any():
            return weights
        free[1:] &= ~negative


def _newton(
    inputs: NDArray[np.float64],
    are_right: NDArray[np.float64],
    usual: NDArray[np.float64],
) -> NDArray[np.float64]:
    def cost(weights: NDArray[np.float64]) -> float:
        signed = np.where(are_right == 1, 1, -1) * (inputs @ weights)
        return np.logaddexp(0, -signed).sum() + ((weights - usual) ** 2).sum() / 2

    weights = usual
    for _ in range(100):
        chances = sigmoid(inputs @ weights)
        slope = inputs.T @ (chances - are_right) + weights - usual
        spread = (chances * (1 - chances))[:, None] * inputs
        step = np.linalg.solve(inputs.T @ spread + np.eye(len(usual)), slope)
        while cost(weights - step) > cost(weights) and np.abs(step).max() > 1e-9:
            step = step / 2
        weights = weights - step
        if np.abs(step).max() < 1e-6:
            break
    return weights
