"""Cutting a word by merging characters again and again."""

import heapq
from collections.abc import Mapping
from random import Random


class BpeCutter:
    """Merge neighbours into pieces, those first that were learnt first.

    A character that is no piece stays alone.

    Args:
        scores: of each piece; the higher, the earlier it was learnt.

    Source:
        "Neural machine translation of rare words with subword units",
        arXiv:1508.07909; leaving merges out: "BPE-dropout", arXiv:1910.13267.
    """

    def __init__(self, scores: Mapping[str, float]) -> None:
        self._scores = scores

    def cut(self, word: str) -> list[str]:
        """The one way."""
        return self._merge(word, 0.0, None)

    def sample(self, word: str, strength: float, draws: Random) -> list[str]:
        """Leave out each merge with the probability `strength`."""
        return self._merge(word, strength, draws)

    def _merge(self, word: str, dropout: float, draws: Random | None) -> list[str]:
        pieces = list(word)  # "" where one has been merged into another
        before = list(range(-1, len(word) - 1))
        after = list(range(1, len(word) + 1))
        waiting: list[tuple[float, int, str]] = []  # the best first, then the leftmost

        def propose(left: int) -> None:
            if left >= 0 and after[left] < len(word):
                merged = pieces[left] + pieces[after[left]]
                score = self._scores.get(merged)
                if score is not None:
                    heapq.heappush(waiting, (-score, left, merged))

        for place in range(len(word) - 1):
            propose(place)
        while waiting:
            _, left, merged = heapq.heappop(waiting)
            right = after[left]
            if not pieces[left] or right >= len(word):
                continue
            if pieces[left] + pieces[right] != merged:
                continue  # one of them has been merged otherwise
            if draws is not None and draws.random() < dropout:
                continue
            pieces[left], pieces[right] = merged, ""
            after[left] = after[right]
            if after[left] < len(word):
                before[after[left]] = left
            propose(before[left])
            propose(left)
        return [piece for piece in pieces if piece]
