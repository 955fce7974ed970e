"""Writing a table of n-grams that is larger than the memory."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np

from speechgru.lm.table import NGramTable

ARRAYS = {
    "node_keys": np.int64,
    "log_probs": np.float32,
    "backoffs": np.float32,
    "shorter": np.int32,
}
"""Of a table, in order."""


class TableWriter:
    """Write n-grams in order of their nodes, each array to a file of its own.

    Use it in a `with` statement.

    Args:
        words: in order of their ids.
        folder: for the files.

    Attributes:
        words: likewise.
        numbers: n-grams of each length that is complete.
    """

    def __init__(self, words: Sequence[str], folder: Path) -> None:
        self.words = tuple(words)
        self.numbers: list[int] = []
        self._num_nodes = 1
        self._paths = {name: folder / f"{name}.array" for name in ARRAYS}
        self._files = {name: path.open("wb") for name, path in self._paths.items()}
        for name, first in (("node_keys", -1), ("log_probs", 0), ("shorter", 0)):
            self._write(name, np.array([first]))
        self._write("backoffs", np.zeros(1))

    def __enter__(self) -> "TableWriter":
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()

    def add(
        self, keys: np.ndarray, log_probs: np.ndarray, shorter: np.ndarray
    ) -> np.ndarray:
        """Add n-grams behind those that are there; return their nodes."""
        self._write("node_keys", keys)
        self._write("log_probs", log_probs)
        self._write("shorter", shorter)
        begin = self._num_nodes
        self._num_nodes += len(keys)
        return np.arange(begin, self._num_nodes)

    def add_backoffs(self, backoffs: np.ndarray) -> None:
        """Add those of the n-grams one word shorter than the last, or of the last."""
        self._write("backoffs", backoffs)

    def end_order(self) -> None:
        """Tell that longer n-grams follow, or none."""
        self.numbers.append(self._num_nodes - 1 - sum(self.numbers))

    def open(self, in_memory: bool) -> NGramTable:
        """The table, whose arrays stay in the files or are read."""
        numbers = [number for number in self.numbers if number]
        ends = np.cumsum([1, *numbers]).tolist()
        arrays = [
            np.fromfile(path, dtype=ARRAYS[name])
            if in_memory
            else np.memmap(path, dtype=ARRAYS[name], mode="c")
            for name, path in self._paths.items()
        ]
        return NGramTable(self.words, ends, *arrays)

    def _write(self, name: str, values: np.ndarray) -> None:
        values.astype(ARRAYS[name], copy=False).tofile(self._files[name])
