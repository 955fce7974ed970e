"""Which utterances make up which batch, on which process."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from speechgru.data.buckets import Indices, cut_buckets, cut_steps, limit_buckets
from speechgru.data.randomness import keyed_numbers
from speechgru.data.window import FileWindow
from speechgru.interfaces import InputError
from speechgru.ranges import COUNT, Range, check


@dataclass(frozen=True)
class PlannedBatch:
    """One batch of one process.

    Attributes:
        indices: of the utterances in the dataset.
        epoch: which pass over the data, counted from 0.
        step: the optimiser step within that pass that it is a part of.
        part: which part of that step, over processes and accumulation.
        step_size: utterances in the whole step.
        num_joined: so many indices after each other make one recording; the last
            may have fewer.
    """

    indices: tuple[int, ...]
    epoch: int
    step: int
    part: int
    step_size: int
    num_joined: int = 1


class BatchPlan:
    """Plan the batches of every epoch: the sampler of a loader of batches.

    A step is planned for all processes and accumulated batches together and
    only then dealt out, so the same steps are taken on one process or many (as
    long as they hold an utterance for each part).
    Utterances of like duration share a step: they are sorted into buckets, longest
    first, shuffled within them each epoch, and cut into steps, each as large as the
    longest utterance that it may hold allows. The cuts lie at the same places in
    every epoch, and steps come in another order. Every process gets equally many
    batches, and parts that are larger by one utterance go round; no utterance is
    dropped or planned twice in a pass over the data.

    An epoch is a pass, or as many steps as are asked for: then passes follow each
    other, and epochs end anywhere in them. The steps of the run are the same.

    Args:
        durations: s, of every utterance of the dataset.
        batch_seconds: s of padded audio per optimiser step, at most, unless
            a single utterance, or one for each part, is longer.
        num_buckets: at most, and no more than there are steps to fill them with
            several each; fewer buckets mix durations more and pad more.
        shuffle: draw the order by (seed, epoch); otherwise shortest first, and
            num_buckets does not matter.
        seed: of the run.
        num_ranks: processes.
        rank: of this process.
        accumulate: batches of one process per optimiser step.
        steps_per_epoch: None: those of a pass.
        max_steps: of all epochs together; the last may be shorter.
        window: the files that utterances lie in, where they are shuffled so that few
            of them are needed at once.
        num_joined: tells of the epoch and the step within a pass how many of its
            utterances make one recording; fewer do where each part would not get one.
            None: they stay apart.
    """

    def __init__(
        self,
        durations: Sequence[float] | NDArray[np.float64],
        batch_seconds: float,
        num_buckets: int = 1,
        shuffle: bool = False,
        seed: int = 0,
        num_ranks: int = 1,
        rank: int = 0,
        accumulate: int = 1,
        steps_per_epoch: int | None = None,
        max_steps: int | None = None,
        window: FileWindow | None = None,
        num_joined: Callable[[int, int], int] | None = None,
    ) -> None:
        check("batch_seconds", batch_seconds, Range(0, math.inf, above=True))
        check("num_buckets", num_buckets, COUNT)
        check("accumulate", accumulate, COUNT)
        self.num_parts = num_ranks * accumulate
        if len(durations) < self.num_parts:
            raise InputError(
                f"{len(durations)} utterances cannot be dealt to {num_ranks} "
                f"processes with {accumulate} accumulated batches each; use fewer"
            )
        self.shuffle = shuffle
        self.seed = seed
        self.num_ranks = num_ranks
        self.rank = rank
        self.accumulate = accumulate
        self._epoch = 0
        self._skip = 0
        self._begin = (0, 0)
        lengths = np.asarray(durations, dtype=np.float64)
        order = np.argsort(lengths, kind="stable")[::-1]  # the longest first
        lengths = lengths[order]
        if shuffle:
            limit = limit_buckets(lengths, batch_seconds, num_buckets)
            self._buckets = cut_buckets(lengths, batch_seconds, limit)
        else:
            self._buckets = np.arange(len(lengths) + 1)
        cuts = cut_steps(lengths, self._buckets, batch_seconds, self.num_parts)
        # Without shuffling all is turned round: the shortest first.
        self._order = order if shuffle else order[::-1]
        self._cuts = cuts if shuffle else len(lengths) - cuts[::-1]
        self.steps_per_pass = len(self._cuts) - 1
        self.steps_per_epoch = steps_per_epoch or self.steps_per_pass
        self.max_steps = max_steps
        self._window = window
        self._num_joined = num_joined

    def __len__(self) -> int:
        """Batches of this process in the epoch."""
        num_steps = self.steps_per_epoch
        if self.max_steps is not None:
            num_steps = max(0, min(num_steps, self.max_steps - self._first_step))
        return num_steps * self.accumulate

    def begin_at(self, epoch: int, step: int) -> None:
        """Let an epoch begin with a step of the run, both counted from 0.

        A run that goes on may have ended with a shorter epoch.
        """
        self._begin = (epoch, step)

    @property
    def _first_step(self) -> int:
        """The step of the run with which the epoch begins."""
        epoch, step = self._begin
        return step + (self._epoch - epoch) * self.steps_per_epoch

    def set_epoch(self, epoch: int, skip: int = 0) -> None:
        """Let the next iteration plan `epoch`, less its first `skip` batches.

        Lightning calls this, without `skip`, before every epoch.
        """
        if not 0 <= skip <= len(self):
            raise ValueError(f"skip is {skip}, expected 0 to {len(self)}")
        self._epoch, self._skip = epoch, skip

    def __iter__(self) -> Iterator[PlannedBatch]:
        """Plan the batches of this process, in order."""
        return self._iterate(self._first_step, range(self._skip, len(self)))

    def _iterate(self, first: int, numbers: range) -> Iterator[PlannedBatch]:
        """Plan batches of this process, by their numbers from a step of the run on."""
        planned = -1
        order, turns = self._order, np.arange(self.steps_per_pass)
        for number in numbers:
            which, turn = divmod(number, self.accumulate)
            epoch, index = divmod(first + which, self.steps_per_pass)
            if self.shuffle and epoch != planned:
                planned, (order, turns) = epoch, self._shuffle(epoch)
            start, stop = self._cuts[turns[index] : turns[index] + 2]
            # The parts that are larger by one are other ones in every step.
            part = (self.rank + turn * self.num_ranks + index) % self.num_parts
            size = int(stop - start)
            joined = self._join(epoch, index, size)
            # What is joined stays together.
            groups = np.arange(size) // joined
            items = order[start:stop][groups % self.num_parts == part].tolist()
            yield PlannedBatch(tuple(items), epoch, index, part, size, joined)

    def _join(self, epoch: int, step: int, size: int) -> int:
        """How many utterances of a step make a recording."""
        if self._num_joined is None:
            return 1
        return max(1, min(self._num_joined(epoch, step), size // self.num_parts))

    def _shuffle(self, epoch: int) -> tuple[Indices, Indices]:
        """Utterances in the order of the cuts, and the steps in theirs."""
        order = self._order.copy()
        window = self._window
        starts = None if window is None else window.starts(epoch)
        numbers = keyed_numbers(len(order), "plan", self.seed, epoch)
        keys = numbers if starts is None else window.put_off(starts[order], numbers)
        for turn, (start, stop) in enumerate(pairwise(self._buckets.tolist())):
            shuffled = np.argsort(keys[start:stop], kind="stable")
            # A step may lie across two buckets, and then belongs to the last files
            # of both, or to the first, but not to the last of one and the first of
            # the other.
            backwards = starts is not None and turn % 2 == 1
            shuffled = shuffled[::-1] if backwards else shuffled
            order[start:stop] = order[start:stop][shuffled]
        numbers = keyed_numbers(self.steps_per_pass, "steps", self.seed, epoch)
        keys = numbers
        if starts is not None:
            last = np.maximum.reduceat(starts[order], self._cuts[:-1])
            keys = window.put_steps_off(last, numbers)
        return order, np.argsort(keys, kind="stable")
