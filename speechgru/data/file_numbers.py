"""Which file each of many utterances lies in, where many lie in one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from speechgru.interfaces import Utterance

Numbers = NDArray[np.int32]


@dataclass(frozen=True)
class FileNumbers:
    """Files, in the order in which utterances first lie in them.

    Attributes:
        paths: of the files, each once.
        numbers: (N,) int32, of the file of every utterance.
    """

    paths: Sequence[Path]
    numbers: Numbers

    @classmethod
    def find(cls, utterances: Iterable[Utterance]) -> FileNumbers | None:
        """Go through utterances; None: one has a file of its own, or there are none."""
        known: dict[Path, int] = {}
        numbers = []
        for utterance in utterances:
            if utterance.byte_range is None:
                return None
            numbers.append(known.setdefault(utterance.audio_path, len(known)))
        return cls(list(known), np.array(numbers, np.int32)) if known else None

    @classmethod
    def of(cls, paths: Sequence[Path], numbers: Numbers) -> FileNumbers:
        """Of files by their numbers, of which several may have one path."""
        unmerged = cls(paths, numbers)
        return unmerged if len(set(paths)) == len(paths) else cls.join([unmerged])

    @classmethod
    def join(cls, parts: Sequence[FileNumbers]) -> FileNumbers:
        """Those of the utterances of several sequences, one after the other."""
        known: dict[Path, int] = {}
        numbers = []
        for part in parts:
            places = [known.setdefault(path, len(known)) for path in part.paths]
            numbers.append(np.array(places, np.int32)[part.numbers])
        return cls(list(known), np.concatenate(numbers))

    def select(self, indices: NDArray[np.int64]) -> FileNumbers | None:
        """Those of some of the utterances; None: of none."""
        numbers = self.numbers[indices]
        # Of what is written several times to one place, the last stays: the first use.
        first = np.full(len(self.paths), len(numbers), np.int64)
        first[numbers[::-1]] = np.arange(len(numbers))[::-1]
        used = np.argsort(first, kind="stable")[: np.sum(first < len(numbers))]
        places = np.empty(len(self.paths), np.int32)
        places[used] = np.arange(len(used))
        paths = [self.paths[number] for number in used.tolist()]
        return FileNumbers(paths, places[numbers]) if paths else None
