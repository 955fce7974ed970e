"""Cutting a word into pieces that are independent of each other."""

import math
from collections.abc import Mapping
from random import Random

UNKNOWN_PENALTY = 10.0
"""Natural log; a character without a piece is worse than any piece by so much."""


class UnigramCutter:
    """Cut words into the pieces whose probabilities have the highest product.

    A character that is no piece is cut off alone.

    Args:
        scores: natural log-probability of each piece.

    Source:
        "Subword regularization", arXiv:1804.10959, section 3; the same cuts as
        sentencepiece makes.
    """

    def __init__(self, scores: Mapping[str, float]) -> None:
        self._scores = scores
        self._longest = max(map(len, scores))
        self._unknown = min(scores.values()) - UNKNOWN_PENALTY

    def cut(self, word: str) -> list[str]:
        """The best way."""
        best = [0.0] + [-math.inf] * len(word)
        begins = [0] * (len(word) + 1)
        for end in range(1, len(word) + 1):
            for begin, score in self._edges(word, end):
                if best[begin] + score > best[end]:
                    best[end] = best[begin] + score
                    begins[end] = begin
        pieces = []
        end = len(word)
        while end:
            pieces.append(word[begins[end] : end])
            end = begins[end]
        return pieces[::-1]

    def sample(self, word: str, strength: float, draws: Random) -> list[str]:
        """Draw one of all ways, each as its probability to the power of `strength`."""
        logs = [0.0]  # of the mass of all ways up to each place
        edges: list[list[tuple[int, float]]] = [[]]
        for end in range(1, len(word) + 1):
            masses = [
                (begin, logs[begin] + strength * score)
                for begin, score in self._edges(word, end)
            ]
            highest = max(value for _, value in masses)
            weights = [(begin, math.exp(value - highest)) for begin, value in masses]
            edges.append(weights)
            logs.append(highest + math.log(math.fsum(weight for _, weight in weights)))
        pieces = []
        end = len(word)
        while end:
            [begin] = draws.choices(*zip(*edges[end], strict=True))
            pieces.append(word[begin:end])
            end = begin
        return pieces[::-1]

    def _edges(self, word: str, end: int) -> list[tuple[int, float]]:
        """Where a piece may begin that ends here, the first first, and its score."""
        edges = []
        for begin in range(max(0, end - self._longest), end):
            score = self._scores.get(word[begin:end])
            if score is not None:
                edges.append((begin, score))
        if not edges or edges[-1][0] < end - 1:
            edges.append((end - 1, self._unknown))
        return edges
