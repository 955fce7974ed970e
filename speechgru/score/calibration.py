"""Whether words are right as often as their confidences say."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from speechgru.score.results import Result

NUM_BINS = 10


@dataclass(frozen=True)
class Bin:
    """The words of a range of confidences.

    Attributes:
        num_words: in the bin.
        confidence: mean of theirs.
        accuracy: share of them that is right.
    """

    num_words: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Calibration:
    """How far confidences can be trusted.

    Attributes:
        bins: those that hold words, of ten equal ranges of confidence.
        num_words: heard.
        confidence: mean of all.
        accuracy: share of the words that is right.
        error: expected calibration error: the mean distance between confidence
            and accuracy of the bins, by their words.

    Source:
        "On calibration of modern neural networks", arXiv:1706.04599, section 2.
    """

    bins: Sequence[Bin]
    num_words: int
    confidence: float
    accuracy: float
    error: float


def calibrate(results: Sequence[Result]) -> Calibration | None:
    """Hold the confidences of words against what was said.

    A word is right if the alignment puts it beside the same word.

    Returns:
        None, if no word was heard, or no confidences are known.
    """
    return calibrate_pairs([pair for each in results for pair in judge_words(each)])


def calibrate_pairs(pairs: Sequence[tuple[float, bool]]) -> Calibration | None:
    """The same of the confidence of each word, and whether it is right."""
    if not pairs:
        return None
    members: dict[int, list[tuple[float, bool]]] = {}
    for confidence, is_right in pairs:
        place = min(int(confidence * NUM_BINS), NUM_BINS - 1)
        members.setdefault(place, []).append((confidence, is_right))
    bins = [
        Bin(len(some), _mean([c for c, _ in some]), _mean([r for _, r in some]))
        for _, some in sorted(members.items())
    ]
    distances = [one.num_words * abs(one.confidence - one.accuracy) for one in bins]
    return Calibration(
        bins=bins,
        num_words=len(pairs),
        confidence=_mean([confidence for confidence, _ in pairs]),
        accuracy=_mean([is_right for _, is_right in pairs]),
        error=math.fsum(distances) / len(pairs),
    )


def judge_words(result: Result) -> list[tuple[float, bool]]:
    """The confidence of each word that was heard, and whether it is right."""
    heard = [pair for pair in result.alignment if pair.hypothesis is not None]
    if len(heard) != len(result.words):
        return []  # times and confidences are not known
    return [
        (word.confidence, pair.reference == pair.hypothesis)
        for word, pair in zip(result.words, heard, strict=True)
        if word.confidence is not None
    ]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
