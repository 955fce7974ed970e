"""Which parts of recordings other splits have."""

from bisect import bisect_left
from pathlib import Path

from speechgru.interfaces import FilePart

Stretches = dict[str, list[tuple[float, float, str]]]
"""By split: start and end, s, and the utterance that has them."""


class Intervals:
    """Stretches of time in files, each with the utterance that has it.

    Splits come one after the other. Those of another split are sorted when they are
    first asked for, so that the work grows with the number of utterances, and not
    with its square where many are cut from one file.
    """

    def __init__(self) -> None:
        self._found: dict[Path | FilePart, Stretches] = {}
        self._sorted: dict[tuple[Path | FilePart, str], tuple[list[float], list]] = {}

    def add(
        self, audio: Path | FilePart, split: str, start: float, end: float, id: str
    ) -> None:
        """Keep the stretch of an utterance, s."""
        by_split = self._found.setdefault(audio, {})
        by_split.setdefault(split, []).append((start, end, id))
        self._sorted.pop((audio, split), None)

    def find_other(
        self, audio: Path | FilePart, split: str, start: float, end: float
    ) -> tuple[str, str] | None:
        """An utterance of another split that shares a stretch: its split and id."""
        for other in self._found.get(audio, {}):
            if other == split:
                continue
            starts, latest = self._sort(audio, other)
            # Of those that begin before the end, the one that lasts longest.
            place = bisect_left(starts, end) - 1
            if place >= 0 and latest[place][0] > start:
                return other, latest[place][1]
        return None

    def _sort(self, audio: Path | FilePart, split: str) -> tuple[list[float], list]:
        """Starts in order, and behind each the latest end so far, with its id."""
        key = audio, split
        if key not in self._sorted:
            ordered = sorted(self._found[audio][split])
            latest: list[tuple[float, str]] = []
            for _, end, id in ordered:
                before = latest[-1] if latest else (end, id)
                latest.append(before if before[0] >= end else (end, id))
            self._sorted[key] = [start for start, _, _ in ordered], latest
        return self._sorted[key]
