"""Counting n-grams of any number of sentences, on the disk."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from speechgru.interfaces import InputError
from speechgru.lm.table import BEGIN, END, UNKNOWN, blocks

BLOCK = 1 << 21
"""Numbers that are held and sorted at once: some 100 MB with what is derived."""


@dataclass(frozen=True)
class Stream:
    """Sentences as one row of word ids, each between the ids of <s> and </s>.

    Attributes:
        words: sorted, with the markers; their places are the ids.
        path: file of int32.
        num_sentences, num_words: that were read, sentences' ends not counted.
        num_unknown: of these words, those that became <unk>.
    """

    words: tuple[str, ...]
    path: Path
    num_sentences: int
    num_words: int
    num_unknown: int

    def open(self) -> np.ndarray:
        """The ids."""
        return np.memmap(self.path, dtype=np.int32, mode="r")


@dataclass(frozen=True)
class Counts:
    """The n-grams of one length, and how often they occur.

    Dimensions: M n-grams.

    Attributes:
        keys: (M,) int64, ascending; the place of the n-gram less its last word among
            those of that length, times the number of words, plus the last word.
        counts: (M,) int64.
    """

    keys: np.ndarray
    counts: np.ndarray


def write_stream(
    sentences: Iterable[Sequence[str]], folder: Path, most_words: int | None
) -> Stream:
    """Write sentences as ids; see `Stream`.

    Args:
        sentences: their words.
        folder: for the file.
        most_words: of the vocabulary, the most frequent ones; others become <unk>.

    Raises:
        InputError: there are no words, or one is a marker.
    """
    raw = folder / "raw.int32"
    first_ids = {BEGIN: 0, END: 1, UNKNOWN: 2}
    num_markers = len(first_ids)
    num_sentences = num_words = 0
    with raw.open("wb") as file:
        pending = array("i")
        for words in sentences:
            num_sentences += 1
            num_words += len(words)
            pending.append(0)
            for word in words:
                pending.append(first_ids.setdefault(word, len(first_ids)))
                if pending[-1] < num_markers:
                    raise _refuse_marker(word, num_sentences)
            pending.append(1)
            if len(pending) >= BLOCK:
                pending.tofile(file)
                pending = array("i")
        pending.tofile(file)
    if not num_words:
        raise InputError("the text has no words, expected at least one sentence")
    ids = np.memmap(raw, dtype=np.int32, mode="r")
    counts = np.zeros(len(first_ids), dtype=np.int64)
    for begin, end in blocks(0, len(ids), BLOCK):
        counts += np.bincount(ids[begin:end], minlength=len(counts))
    found = list(first_ids)
    kept = _choose(found[num_markers:], counts[num_markers:].tolist(), most_words)
    words = tuple(sorted([BEGIN, END, UNKNOWN, *kept]))
    new_ids = {word: index for index, word in enumerate(words)}
    renamed = np.array([new_ids.get(word, new_ids[UNKNOWN]) for word in found])
    path = folder / "words.int32"
    with path.open("wb") as file:
        for begin, end in blocks(0, len(ids), BLOCK):
            renamed[ids[begin:end]].astype(np.int32).tofile(file)
    raw.unlink()
    num_unknown = int(counts[renamed == new_ids[UNKNOWN]].sum())
    return Stream(words, path, num_sentences, num_words, num_unknown)


def _refuse_marker(word: str, sentence: int) -> InputError:
    return InputError(
        f"sentence {sentence} holds {word!r}, which marks sentences and new words in a "
        "language model; remove it from the text"
    )


def _choose(words: list[str], counts: list[int], most: int | None) -> list[str]:
    """The most frequent words; of equally frequent ones the first by their letters."""
    if most is None or len(words) <= most:
        return words
    ranked = sorted(zip(words, counts, strict=True), key=lambda one: (-one[1], one[0]))
    return [word for word, _ in ranked[:most]]


def count_ngrams(stream: Stream, order: int, folder: Path) -> Iterator[Counts]:
    """Count the n-grams of each length, from 1 on, in ascending order.

    An n-gram never holds more than one <s>, nor a word behind </s>. Those of one
    length are sorted block by block and merged on the disk.

    Args:
        stream: of the sentences.
        order: length of the longest n-grams.
        folder: for files as large as the counts, which the arrays lie in.
    """
    ids = stream.open()
    begin_id = stream.words.index(BEGIN)
    single = np.zeros(len(stream.words), dtype=np.int64)
    for begin, end in blocks(0, len(ids), BLOCK):
        single += np.bincount(ids[begin:end], minlength=len(single))
    single[begin_id] = 0  # it is foreseen nowhere
    counts = Counts(np.arange(len(single)), single)
    yield counts
    places = ids
    for n in range(2, order + 1):
        keys_of = _KeyReader(ids, places, begin_id, len(stream.words))
        counts = _merge(_sort_blocks(keys_of, folder, n), folder, n)
        yield counts
        if n < order:
            places = _find_places(keys_of, counts.keys, folder, n)


class _KeyReader:
    """The keys of the n-grams that end in a stretch of the stream.

    Args:
        ids: of the words.
        places: of the n-gram, one word shorter, that ends at each word; -1: none.
        begin_id: of <s>.
        num_words: in the vocabulary.
    """

    def __init__(
        self, ids: np.ndarray, places: np.ndarray, begin_id: int, num_words: int
    ) -> None:
        self._ids = ids
        self._places = places
        self._begin_id = begin_id
        self._num_words = num_words

    def __len__(self) -> int:
        """Words of the stream."""
        return len(self._ids)

    def __call__(self, begin: int, end: int) -> np.ndarray:
        """The keys, -1 where no n-gram ends; `begin` is at least 1."""
        contexts = self._places[begin - 1 : end - 1].astype(np.int64)
        words = self._ids[begin:end]
        keys = contexts * self._num_words + words
        return np.where((contexts < 0) | (words == self._begin_id), -1, keys)


def _sort_blocks(keys_of: _KeyReader, folder: Path, n: int) -> list[Counts]:
    """The distinct keys of each block, ascending, with their counts, in files."""
    runs = []
    for begin, end in blocks(1, len(keys_of), BLOCK):
        keys, counts = np.unique(keys_of(begin, end), return_counts=True)
        path = folder / f"run-{n}-{begin}"
        runs.append(_keep(keys[keys >= 0], counts[keys >= 0], path))
    return runs


def _keep(keys: np.ndarray, counts: np.ndarray, path: Path) -> Counts:
    """Write counts to files and open these."""
    keys.tofile(f"{path}.keys")
    counts.tofile(f"{path}.counts")
    return _open(path)


def _open(path: Path) -> Counts:
    opened = [map_file(f"{path}.{name}", np.int64) for name in ("keys", "counts")]
    return Counts(*opened)


def map_file(path: str | Path, dtype: type) -> np.ndarray:
    """Open a file of numbers, which may be empty."""
    if Path(path).stat().st_size == 0:
        return np.empty(0, dtype=dtype)
    return np.memmap(path, dtype=dtype, mode="r")


def _merge(runs: list[Counts], folder: Path, n: int) -> Counts:
    """Add up the counts of equal keys, a range of keys at a time."""
    if len(runs) == 1:
        return runs[0]
    # Keys that cut every run into pieces, which fit into a block together.
    step = max(1, BLOCK // len(runs))
    cuts = np.unique(np.concatenate([run.keys[::step] for run in runs]))
    path = folder / f"counts-{n}"
    with open(f"{path}.keys", "wb") as key_file, open(f"{path}.counts", "wb") as file:
        begins = [0] * len(runs)
        for cut in [*cuts[len(runs) :: len(runs)].tolist(), None]:
            ends = [
                len(run.keys) if cut is None else int(np.searchsorted(run.keys, cut))
                for run in runs
            ]
            pieces = [
                (run.keys[begin:end], run.counts[begin:end])
                for run, begin, end in zip(runs, begins, ends, strict=True)
            ]
            begins = ends
            keys = np.concatenate([keys for keys, _ in pieces])
            counts = np.concatenate([counts for _, counts in pieces])
            order = keys.argsort(kind="stable")  # which merges what is sorted already
            keys, counts = keys[order], counts[order]
            firsts = np.flatnonzero(np.diff(keys, prepend=-1))
            keys[firsts].tofile(key_file)
            if len(firsts):
                np.add.reduceat(counts, firsts).tofile(file)
    for each in folder.glob(f"run-{n}-*"):
        each.unlink()
    return _open(path)


def _find_places(
    keys_of: _KeyReader, keys: np.ndarray, folder: Path, n: int
) -> np.ndarray:
    """The place of the n-gram that ends at each word of the stream; -1: none."""
    path = folder / f"places-{n}.int32"
    with path.open("wb") as file:
        np.array([-1], dtype=np.int32).tofile(file)
        for begin, end in blocks(1, len(keys_of), BLOCK):
            wanted, rows = np.unique(keys_of(begin, end), return_inverse=True)
            found = np.where(wanted < 0, -1, np.searchsorted(keys, wanted))
            found.astype(np.int32)[rows].tofile(file)
    return map_file(path, np.int32)
