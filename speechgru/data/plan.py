"""Which utterances make up which batch, on which process."""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from speechgru.data.randomness import keyed_seed
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
    """

    indices: tuple[int, ...]
    epoch: int
    step: int
    part: int
    step_size: int


class BatchPlan:
    """Plan the batches of every epoch: the sampler of a loader of batches.

    A step is planned for all processes and accumulated batches together and
    only then dealt out, so the same steps are taken on one process or many (as
    long as they hold an utterance for each part).
    Utterances of like duration share a step: they are sorted into buckets,
    shuffled within them each epoch, and cut into steps of even size, always
    the same number of them. Every process gets equally many batches; no
    utterance is dropped or planned twice in a pass over the data.

    An epoch is a pass, or as many steps as are asked for: then passes follow each
    other, and epochs end anywhere in them. The steps of the run are the same.

    Args:
        durations: s, of every utterance of the dataset.
        batch_seconds: s of padded audio per optimiser step, at most, unless
            a single utterance, or one for each part, is longer.
        num_buckets: of equally many utterances; fewer buckets mix durations
            more and pad more.
        shuffle: draw the order by (seed, epoch); otherwise shortest first.
        seed: of the run.
        num_ranks: processes.
        rank: of this process.
        accumulate: batches of one process per optimiser step.
        steps_per_epoch: None: those of a pass.
        max_steps: of all epochs together; the last may be shorter.
    """

    def __init__(
        self,
        durations: Sequence[float],
        batch_seconds: float,
        num_buckets: int = 1,
        shuffle: bool = False,
        seed: int = 0,
        num_ranks: int = 1,
        rank: int = 0,
        accumulate: int = 1,
        steps_per_epoch: int | None = None,
        max_steps: int | None = None,
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
        self._buckets = self._sort_into_buckets(durations, num_buckets)
        self._num_steps = [
            self._count_steps([durations[index] for index in bucket], batch_seconds)
            for bucket in self._buckets
        ]
        self.steps_per_pass = sum(self._num_steps)
        self.steps_per_epoch = steps_per_epoch or self.steps_per_pass
        self.max_steps = max_steps

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
    def missing_steps(self) -> int:
        """By which the last epoch of the run is shorter than the others."""
        if self.max_steps is None:
            return 0
        return (self._begin[1] - self.max_steps) % self.steps_per_epoch

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
        planned, steps = -1, []
        for number in numbers:
            which, turn = divmod(number, self.accumulate)
            epoch, index = divmod(first + which, self.steps_per_pass)
            if epoch != planned:
                planned, steps = epoch, self._plan_steps(epoch)
            part = self.rank + turn * self.num_ranks
            items = tuple(steps[index][part :: self.num_parts])
            yield PlannedBatch(items, epoch, index, part, len(steps[index]))

    def _sort_into_buckets(
        self, durations: Sequence[float], num_buckets: int
    ) -> list[list[int]]:
        order = sorted(range(len(durations)), key=lambda index: durations[index])
        count = min(num_buckets, len(order) // self.num_parts)
        return list(_cut(order, count))

    def _count_steps(self, durations: list[float], batch_seconds: float) -> int:
        size = max(int(batch_seconds / max(durations)), 1)
        return min(math.ceil(len(durations) / size), len(durations) // self.num_parts)

    def _plan_steps(self, epoch: int) -> list[list[int]]:
        generator = random.Random(keyed_seed("plan", self.seed, epoch))
        steps: list[list[int]] = []
        for bucket, num_steps in zip(self._buckets, self._num_steps, strict=True):
            order = list(bucket)
            if self.shuffle:
                generator.shuffle(order)
            steps += _cut(order, num_steps)
        if self.shuffle:
            generator.shuffle(steps)
        return steps


def _cut(items: list[int], count: int) -> Iterator[list[int]]:
    """Cut a list into `count` runs whose sizes differ by at most one."""
    for index in range(count):
        start = index * len(items) // count
        yield items[start : (index + 1) * len(items) // count]
