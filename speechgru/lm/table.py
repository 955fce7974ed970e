"""N-grams as sorted arrays, which may lie in files."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from speechgru.interfaces import InputError

BEGIN, END, UNKNOWN = "<s>", "</s>", "<unk>"

BLOCK = 1 << 16
"""N-grams that are spelled out at once."""


class NGramTable(Mapping[tuple[str, ...], tuple[float, float]]):
    """Natural log-probabilities and backoff weights of n-grams.

    Every n-gram is a node of a trie, the empty one is node 0. A node's key is that
    of the n-gram less its last word, times the number of words, plus the last word.
    Nodes are sorted by length, then by key; so all keys are ascending, and the node
    of word w is w + 1.

    Dimensions: V words, N nodes.

    Args:
        words: V, in order of their ids.
        ends: for each length from 0 on, the number of nodes up to that length.
        node_keys: (N,) int64; that of node 0 is -1.
        log_probs: (N,) float32.
        backoffs: (N,) float32.
        shorter: (N,) integers, the node of the longest end of each n-gram.
    """

    def __init__(
        self,
        words: Sequence[str],
        ends: Sequence[int],
        node_keys: np.ndarray,
        log_probs: np.ndarray,
        backoffs: np.ndarray,
        shorter: np.ndarray,
    ) -> None:
        self.words = tuple(words)
        self.ids = {word: index for index, word in enumerate(self.words)}
        self.ends = tuple(ends)
        self.node_keys = node_keys
        self.log_probs = log_probs
        self.backoffs = backoffs
        self.shorter = shorter

    @property
    def order(self) -> int:
        """Words of the longest n-grams."""
        return len(self.ends) - 1

    @property
    def numbers(self) -> tuple[int, ...]:
        """N-grams of each length from 1 on."""
        return tuple(int(number) for number in np.diff(self.ends))

    def __len__(self) -> int:
        """Number of n-grams."""
        return self.ends[-1] - 1

    def __getitem__(self, ngram: tuple[str, ...]) -> tuple[float, float]:
        """Natural log-probability and backoff weight. Raises KeyError."""
        node = 0
        for word in ngram:
            key = node * len(self.words) + self.ids[word]
            node = int(np.searchsorted(self.node_keys, key))
            if node == len(self.node_keys) or self.node_keys[node] != key:
                raise KeyError(ngram)
        if node == 0:
            raise KeyError(ngram)
        return float(self.log_probs[node]), float(self.backoffs[node])

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        """The n-grams, in order of their nodes."""
        for n in range(1, self.order + 1):
            for begin, end in blocks(self.ends[n - 1], self.ends[n], BLOCK):
                for row in self.spell(begin, end, n).tolist():
                    yield tuple(self.words[word] for word in row)

    def spell(self, begin: int, end: int, n: int) -> np.ndarray:
        """(end - begin, n) the words of nodes, all of n words."""
        ids = np.empty((end - begin, n), dtype=np.int64)
        nodes = np.arange(begin, end)
        for place in range(n - 1, -1, -1):
            nodes, ids[:, place] = np.divmod(self.node_keys[nodes], len(self.words))
        return ids


class TableBuilder:
    """Make a table of n-grams in any order, the shorter ones first.

    Args:
        words: in order of their ids.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._words = tuple(words)
        self._ends = [1]
        self._keys = np.array([-1])
        self._values = np.zeros((1, 2), dtype=np.float32)
        self._shorter = np.array([0])

    def add(self, ids: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Add all n-grams of the next length.

        Args:
            ids: (m, n) of their words.
            values: (m, 2) log-probabilities and backoff weights.

        Returns:
            (k,) rows that are there twice, of which the first is kept.

        Raises:
            InputError: the beginning of one is missing.
        """
        num_words, n = len(self._words), ids.shape[1]
        nodes = np.zeros(len(ids), dtype=np.int64)
        for place in range(n - 1):
            nodes, found = self._find(nodes * num_words + ids[:, place])
            if not found.all():
                ngram = [self._words[word] for word in ids[int(np.argmin(found))]]
                raise missing_beginning(ngram, ngram[: place + 1])
        keys, rows = np.unique(nodes * num_words + ids[:, -1], return_index=True)
        contexts, last = np.divmod(keys, num_words)
        self._shorter = np.append(self._shorter, self._find_ends(contexts, last, n))
        self._keys = np.append(self._keys, keys)
        self._values = np.append(self._values, values[rows].astype(np.float32), axis=0)
        self._ends.append(len(self._keys))
        return np.setdiff1d(np.arange(len(ids)), rows)

    def build(self) -> NGramTable:
        """Return the table of all that was added."""
        log_probs, backoffs = np.ascontiguousarray(self._values.T)
        arrays = self._keys, log_probs, backoffs, self._shorter
        return NGramTable(self._words, self._ends, *arrays)

    def _find(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nodes of keys, and whether there are such."""
        nodes = np.searchsorted(self._keys, keys).clip(max=len(self._keys) - 1)
        return nodes, self._keys[nodes] == keys

    def _find_ends(self, contexts: np.ndarray, last: np.ndarray, n: int) -> np.ndarray:
        """The node of the longest end of each n-gram."""
        ends = np.zeros(len(contexts), dtype=np.int64)
        if n == 1:
            return ends
        searching = np.arange(len(contexts))
        while len(searching):
            contexts = self._shorter[contexts]
            nodes, found = self._find(contexts * len(self._words) + last[searching])
            ends[searching[found]] = nodes[found]
            searching, contexts = searching[~found], contexts[~found]
        return ends


def missing_beginning(ngram: Sequence[str], beginning: Sequence[str]) -> InputError:
    """Name an n-gram of which a shorter one is missing."""
    return InputError(
        f"the language model has the n-gram {' '.join(ngram)!r}, but not "
        f"{' '.join(beginning)!r}; estimate it without pruning, or with a tool that "
        "keeps the shorter ones"
    )


def blocks(begin: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    """Cut a stretch into pieces of a size, the last perhaps shorter."""
    for first in range(begin, end, size):
        yield first, min(first + size, end)
