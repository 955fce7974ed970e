"""Many utterances as one sequence, of which each is made when it is asked for.

Sources may hand out lists, or sequences whose lines stay on the disk. What is here
takes either, and copies neither.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Protocol, overload, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from speechgru.data.file_numbers import FileNumbers
from speechgru.interfaces import Utterance
from speechgru.text.word_counts import Texts, WordCounts


@runtime_checkable
class Columns(Protocol):
    """What a sequence of utterances knows of all of them without making any."""

    @property
    def durations(self) -> NDArray[np.float64]:
        """(N,) s."""

    @property
    def words(self) -> WordCounts | None:
        """Of all texts; None: not known."""

    @property
    def files(self) -> FileNumbers | None:
        """That they lie in; None: one has a file of its own, or there are none."""


def durations_of(utterances: Sequence[Utterance]) -> NDArray[np.float64]:
    """(N,) s."""
    if isinstance(utterances, Columns):
        return utterances.durations
    return np.array([utterance.duration for utterance in utterances], dtype=np.float64)


def files_of(utterances: Sequence[Utterance]) -> FileNumbers | None:
    """The files that they lie in; None: one has a file of its own."""
    if isinstance(utterances, Columns):
        return utterances.files
    return FileNumbers.find(utterances)


def texts_of(utterances: Sequence[Utterance]) -> Texts:
    """The transcripts, in order."""
    return Texts(_Transcripts(utterances), lambda: _words_of(utterances))


def _words_of(utterances: Sequence[Utterance]) -> WordCounts | None:
    return utterances.words if isinstance(utterances, Columns) else None


def select(
    utterances: Sequence[Utterance], indices: Sequence[int] | NDArray[np.int64]
) -> Selection:
    """Some of the utterances, in the order of their indices."""
    return Selection(utterances, np.asarray(indices, dtype=np.int64))


def join(*parts: Sequence[Utterance]) -> Sequence[Utterance]:
    """All utterances of several sequences, one after the other."""
    filled = [part for part in parts if len(part)]
    return filled[0] if len(filled) == 1 else Joined(*filled)


class _Transcripts(Sequence[str]):
    def __init__(self, utterances: Sequence[Utterance]) -> None:
        self._utterances = utterances

    def __len__(self) -> int:
        return len(self._utterances)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> _Transcripts: ...
    def __getitem__(self, index: int | slice) -> str | _Transcripts:
        if isinstance(index, slice):
            return _Transcripts(self._utterances[index])
        return self._utterances[index].text

    def __iter__(self) -> Iterator[str]:
        return (utterance.text for utterance in self._utterances)


class View(Sequence[Utterance]):
    """What sequences of utterances have in common: slices, and how they compare."""

    @abstractmethod
    def _get(self, index: int) -> Utterance:
        """The utterance of an index from 0 on."""

    @overload
    def __getitem__(self, index: int) -> Utterance: ...
    @overload
    def __getitem__(self, index: slice) -> Selection: ...
    def __getitem__(self, index: int | slice) -> Utterance | Selection:
        """One utterance, or some of them, which are not copied."""
        if isinstance(index, slice):
            return select(self, range(len(self))[index])
        return self._get(range(len(self))[index])

    def __eq__(self, other: object) -> bool:
        """Whether the utterances are the same, as of lists."""
        if not isinstance(other, Sequence):
            return NotImplemented
        if len(self) != len(other):
            return False
        return all(mine == its for mine, its in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]


class Selection(View):
    """Some utterances of a sequence.

    Args:
        utterances: of which.
        indices: (N,) in these.
    """

    def __init__(
        self, utterances: Sequence[Utterance], indices: NDArray[np.int64]
    ) -> None:
        self._utterances = utterances
        self._indices = indices

    def __len__(self) -> int:
        """How many."""
        return len(self._indices)

    def _get(self, index: int) -> Utterance:
        return self._utterances[int(self._indices[index])]

    @property
    def durations(self) -> NDArray[np.float64]:
        """(N,) s."""
        return durations_of(self._utterances)[self._indices]

    @property
    def words(self) -> WordCounts | None:
        """Not known, though those of the whole sequence may be."""
        return None

    @property
    def files(self) -> FileNumbers | None:
        """That they lie in; None: one has a file of its own, or there are none."""
        files = files_of(self._utterances) if len(self) else None
        return FileNumbers.find(self) if files is None else files.select(self._indices)


class Joined(View):
    """The utterances of several sequences, one after the other.

    Args:
        parts: the sequences.
    """

    def __init__(self, *parts: Sequence[Utterance]) -> None:
        self._parts = parts
        self._stops = np.cumsum([len(part) for part in parts], dtype=np.int64)

    def __len__(self) -> int:
        """How many."""
        return int(self._stops[-1]) if len(self._stops) else 0

    def __iter__(self) -> Iterator[Utterance]:
        """One after the other."""
        for part in self._parts:
            yield from part

    def _get(self, index: int) -> Utterance:
        part = int(np.searchsorted(self._stops, index, side="right"))
        start = int(self._stops[part - 1]) if part else 0
        return self._parts[part][index - start]

    @property
    def durations(self) -> NDArray[np.float64]:
        """(N,) s."""
        return np.concatenate([np.empty(0), *map(durations_of, self._parts)])

    @property
    def words(self) -> WordCounts | None:
        """Of all parts, where all know theirs."""
        known = [_words_of(part) for part in self._parts]
        counted = [words for words in known if words is not None]
        return WordCounts.sum(counted) if len(counted) == len(known) else None

    @property
    def files(self) -> FileNumbers | None:
        """That they lie in; None: one has a file of its own, or there are none."""
        known: list[FileNumbers] = []
        for part in filter(len, self._parts):
            files = files_of(part)
            if files is None:
                return None
            known.append(files)
        return FileNumbers.join(known) if known else None
