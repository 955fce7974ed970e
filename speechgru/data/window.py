"""An order of utterances in which few of the files that they lie in are needed at once.

For shards: files are read one after another, each from its beginning to its end, and
the utterances of some of them are mixed.
"""

import numpy as np
from numpy.typing import NDArray

from speechgru.data.file_numbers import Numbers
from speechgru.data.randomness import keyed_numbers
from speechgru.ranges import COUNT, check

Times = NDArray[np.float64]


class FileWindow:
    """When the utterances of each file have their turn.

    Time is counted in files, of which one begins after another, each epoch in another
    order. An utterance is put off by a random part of a window from the time at which
    its file begins, so that a step mixes those of a window; and a step by a random
    part of half a window from the time at which the last of its files begins. Where
    there are no more files than the window takes, all begin at once, and utterances
    are mixed as without it.

    All is drawn by (seed, epoch).

    Args:
        files: number of the file of every utterance, counted from 0, (N,).
        size: files that are mixed.
        seed: of the run.
    """

    def __init__(self, files: Numbers, size: int, seed: int) -> None:
        check("window", size, COUNT)
        self.files = files
        self.size = size
        self.seed = seed
        self.num_files = int(files.max()) + 1
        self._spacing = max(0, self.num_files - size) / max(1, self.num_files - 1)

    @property
    def at_once(self) -> int:
        """Files that are needed at a time, about, unless steps are very large."""
        return min(self.num_files, 3 * self.size)

    def order(self, epoch: int) -> NDArray[np.int64]:
        """The files in the order in which they begin, (F,)."""
        numbers = keyed_numbers(self.num_files, "files", self.seed, epoch)
        return np.argsort(numbers, kind="stable")

    def starts(self, epoch: int) -> Times:
        """When the file of each utterance begins, (N,)."""
        starts = np.empty(self.num_files)
        starts[self.order(epoch)] = self._spacing * np.arange(self.num_files)
        return starts[self.files]

    def put_off(self, starts: Times, numbers: NDArray[np.uint64]) -> Times:
        """Put utterances off by random parts of a window.

        Args:
            starts: (N,), when their files begin.
            numbers: (N,) of 64 random bits.
        """
        return starts + self.size * (numbers / 2.0**64)

    def put_steps_off(self, starts: Times, numbers: NDArray[np.uint64]) -> Times:
        """Put steps off by random parts of half a window; see `put_off`."""
        return starts + self.size / 2 * (numbers / 2.0**64)
