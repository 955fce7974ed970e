"""What the best texts of a search say together."""

import math
from collections.abc import Iterator, Mapping, Sequence
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
        for place in _find_common(words, text.split()):
            agreeing[place] += mass
    total = math.fsum(masses.values())
    return [min(1.0, mass / total) for mass in agreeing]


def _find_common(words: Sequence[str], others: Sequence[str]) -> Iterator[int]:
    """Places in a text of the words that another has there, too."""
    # Long texts differ near their ends alone, and matching takes their square.
    shorter = min(len(words), len(others))
    start = next((i for i in range(shorter) if words[i] != others[i]), shorter)
    left = shorter - start
    end = next((i for i in range(left) if words[-1 - i] != others[-1 - i]), left)
    yield from range(start)
    yield from range(len(words) - end, len(words))
    inner = words[start : len(words) - end], others[start : len(others) - end]
    for block in SequenceMatcher(None, *inner, autojunk=False).get_matching_blocks():
        yield from range(start + block.a, start + block.a + block.size)
