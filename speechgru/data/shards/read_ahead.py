"""Reading files that hold many utterances before they are needed, one after another."""

import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue

import torch

from speechgru.data.file_numbers import Numbers
from speechgru.data.plan import PlannedBatch
from speechgru.data.window import FileWindow

NUM_AHEAD = 2
"""Files that are read before the first utterance of them has its turn."""

_BLOCK = 1 << 20  # bytes

_log = logging.getLogger(__name__)


class ReadAhead:
    """See that files are in memory, or on this machine, before they are needed.

    A file is read once from its beginning to its end, in the background, by
    whichever loading process comes to it first; the system keeps what was read, for
    all of them. So a disk need not seek for each utterance.

    Args:
        paths: of the files, by their numbers.
        files: number of the file of every utterance that may be planned, (N,).
        window: the order of the files; None: they are needed in no known order.
        fetch: sees that a file is on this machine, and waits for it; it may raise
            InputError.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        files: Numbers,
        window: FileWindow | None,
        fetch: Callable[[Path], None],
    ) -> None:
        self._paths = paths
        self._files = files
        self._window = window
        self._fetch = fetch
        # Shared by all loading processes: up to which epoch each file was read.
        self._read = torch.full((len(paths),), -1, dtype=torch.long).share_memory_()
        self._epoch = -1
        self._order: list[int] = []
        self._places = torch.empty(0, dtype=torch.long)
        self._queue: SimpleQueue[int] | None = None
        self._owner: int | None = None

    def follow(self, planned: PlannedBatch) -> None:
        """Get ready for a batch, and begin with what comes after it.

        Raises:
            InputError: a file of the batch cannot be fetched.
        """
        needed = sorted({int(self._files[index]) for index in planned.indices})
        if self._window is not None:
            self._look_ahead(self._window, planned.epoch, needed)
        for number in needed:
            self._fetch(self._paths[number])

    def _look_ahead(
        self, window: FileWindow, epoch: int, needed: Sequence[int]
    ) -> None:
        if epoch != self._epoch:
            order = window.order(epoch)
            self._epoch, self._order = epoch, order.tolist()
            self._places = torch.empty(len(order), dtype=torch.long)
            self._places[order] = torch.arange(len(order))
        last = max(int(self._places[number]) for number in needed)
        # A run that goes on needs none of those that were done before.
        first = max(0, last - window.at_once)
        for number in self._order[first : last + 1 + NUM_AHEAD]:
            # Two processes that come at once both read it, which does no harm.
            if self._read[number] < epoch:
                self._read[number] = epoch
                self._send(number)

    def _send(self, number: int) -> None:
        queue = self._queue
        # A thread does not live on in a forked process.
        if queue is None or self._owner != os.getpid():
            self._owner, self._queue = os.getpid(), (queue := SimpleQueue())
            threading.Thread(target=self._work, args=(queue,), daemon=True).start()
        queue.put(number)

    def _work(self, queue: "SimpleQueue[int]") -> None:
        block = bytearray(_BLOCK)
        while True:
            path = self._paths[queue.get()]
            try:
                self._fetch(path)
                with open(path, "rb", buffering=0) as file:
                    while file.readinto(block):
                        pass
            except Exception as error:
                # Whoever needs the file meets the same error, and names it.
                _log.debug("%s: not read ahead (%s)", path, error)
