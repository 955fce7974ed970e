"""The files that utterances lie in, where many lie in one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from speechgru.data.file_numbers import Numbers
from speechgru.data.shards.local_copies import LocalCopies, find_known
from speechgru.data.shards.read_ahead import NUM_AHEAD, ReadAhead
from speechgru.data.utterances import files_of
from speechgru.data.window import FileWindow
from speechgru.interfaces import Utterance


@dataclass(frozen=True)
class StoredFiles:
    """Files of many utterances each: shards, and whatever else is read like them.

    Attributes:
        paths: of the files.
        numbers: of the file of every utterance, (N,).
    """

    paths: Sequence[Path]
    numbers: Numbers

    @classmethod
    def find(cls, utterances: Sequence[Utterance]) -> "StoredFiles | None":
        """The files that utterances lie in; None: one has a file of its own."""
        files = files_of(utterances)
        return None if files is None else cls(files.paths, files.numbers)

    def mix(self, size: int, seed: int, num_more: int) -> FileWindow:
        """An order in which few files are needed at once.

        Args:
            size, seed: see `FileWindow`.
            num_more: utterances behind the others that lie in no file; they have
                their turn among those of any.
        """
        numbers = self.numbers
        if num_more:  # what is mapped is not copied without need
            more = np.arange(num_more, dtype=np.int32) % len(self.paths)
            numbers = np.concatenate([numbers, more], dtype=np.int32)
        return FileWindow(numbers, size, seed)

    def read_ahead(self, window: FileWindow | None, cache_size: float) -> ReadAhead:
        """What gets the files ready, in the order of a window, if there is one.

        Args:
            window: of `mix`; None: they are needed in no known order.
            cache_size: GB of files from addresses that are kept on this machine.

        Raises:
            InputError: fewer are kept than are needed at once.
        """
        files = self.numbers if window is None else window.files
        copies = LocalCopies(find_known(self.paths), cache_size * 1e9)
        if window is not None:
            copies.check_size(window.at_once + NUM_AHEAD)
        return ReadAhead(self.paths, files, window, copies)
