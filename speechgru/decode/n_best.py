"""What the best texts of a search say together."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from speechgru.interfaces import LanguageModel
from speechgru.ranges import BEAM_SIZE, WEIGHT, check


@dataclass(frozen=True)
class Rescoring:
    """A second language model, for the best texts of a search.

    Attributes:
        lm: scores whole texts.
        weight: of its natural log-probabilities.
        num_texts: that it scores; the others are dropped.
    """

    lm: LanguageModel
    weight: float
    num_texts: int

    def __post_init__(self) -> None:
        """Raise OptionError for what is out of its range."""
        check("rescore_weight", self.weight, WEIGHT)
        check("rescore_texts", self.num_texts, BEAM_SIZE)

    def __call__(self, scores: Mapping[str, float]) -> dict[str, float]:
        """Add to the scores of texts, the best first, and sort them anew."""
        texts = list(scores)[: self.num_texts]
        added = dict(zip(texts, self.lm.score_texts(texts), strict=True))
        rescored = {text: scores[text] + self.weight * added[text] for text in texts}
        return dict(sorted(rescored.items(), key=lambda item: -item[1]))


class CachedScorer:
    """A language model that scores each text once."""

    def __init__(self, lm: LanguageModel) -> None:
        self.lm = lm
        self._scores: dict[str, float] = {}

    def score_texts(self, texts: Sequence[str]) -> list[float]:
        """See `LanguageModel`."""
        new = [text for text in texts if text not in self._scores]
        self._scores |= dict(zip(new, self.lm.score_texts(new), strict=True))
        return [self._scores[text] for text in texts]


def vote(scores: Mapping[str, float], scale: float = 1.0) -> list[float]:
    """The share of probability that agrees with each word of the first text.

    Args:
        scores: by text; natural logarithms.
        scale: of the scores; below 1, the search is less sure of itself.
    """
    highest = max(scores.values())
    masses = {
        text: math.exp(scale * (score - highest)) for text, score in scores.items()
    }
    words = next(iter(scores)).split()
    agreeing = [0.0] * len(words)
    for text, mass in masses.items():
        matcher = SequenceMatcher(None, words, text.split(), autojunk=False)
        for block in matcher.get_matching_blocks():
            for place in range(block.a, block.a + block.size):
                agreeing[place] += mass
    total = math.fsum(masses.values())
    return [min(1.0, mass / total) for mass in agreeing]
