"""What a run trains on and is validated on, as Lightning wants it."""

import logging
import math
from collections.abc import Callable
from typing import Any, Literal

import lightning as L
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from speechgru.data.loading import LoadingFailure, NamedFailures, ignore_signals
from speechgru.data.plan import BatchPlan
from speechgru.data.window import FileWindow
from speechgru.interfaces import InputError
from speechgru.ranges import MOST_COUNT, MOST_THREADS, SEED, check, whole
from speechgru.threads import num_processors
from speechgru.training.length import Length

log = logging.getLogger(__name__)

MOST_WORKERS = 16
"""Loading processes that are started for a GPU, unless more are asked for."""


class PlannedDataModule(L.LightningDataModule):
    """Plan and load the batches of training and validation.

    Args:
        train_data: makes a batch of a PlannedBatch.
        dev_data: likewise.
        train_sizes: s, or tokens, of every item to train on.
        dev_sizes: of those to validate on; none: no validation.
        train_batch: size of a training step, padding included, over all processes
            and accumulated batches.
        dev_batch: size of a batch of validation.
        num_buckets: see BatchPlan.
        num_workers: loading processes; 0 loads in the training process; "auto": none
            on a CPU, which has enough to do, else as many as there are cores for.
        seed: of the run.
        accumulate: batches of one process per optimiser step.
        steps_per_epoch: None: those of a pass over the data.
        max_steps: of the run; None: as many epochs as the trainer says, or as fit into
            its time.
        length: of the run.
        per_process: whether train_batch is that of each process and accumulated batch.
        window: the files that items to train on lie in, if they are read in order.
        num_joined: see BatchPlan.
    """

    def __init__(
        self,
        train_data: Dataset,
        dev_data: Dataset,
        train_sizes: NDArray[np.float64],
        dev_sizes: NDArray[np.float64],
        train_batch: float,
        dev_batch: float,
        num_buckets: int,
        num_workers: int | Literal["auto"],
        seed: int,
        accumulate: int,
        length: Length,
        steps_per_epoch: int | None = None,
        max_steps: int | None = None,
        per_process: bool = False,
        window: FileWindow | None = None,
        num_joined: Callable[[int, int], int] | None = None,
    ) -> None:
        super().__init__()
        if not len(train_sizes):
            raise InputError("split train has no utterances, expected some")
        if num_workers != "auto":
            check("num_workers", num_workers, whole(0, MOST_THREADS))
        check("seed", seed, SEED)
        self.train_data, self.dev_data = train_data, dev_data
        self.train_sizes, self.dev_sizes = train_sizes, dev_sizes
        self.train_batch, self.dev_batch = train_batch, dev_batch
        self.num_buckets = num_buckets
        self.num_workers = num_workers
        self.seed = seed
        self.accumulate = accumulate
        self.length = length
        self.wanted_steps_per_epoch = steps_per_epoch
        self.max_steps = max_steps
        self.per_process = per_process
        self.window = window
        self.num_joined = num_joined
        self.train_plan: BatchPlan | None = None
        self._first_step = 0  # of the epoch in which the run goes on

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps in every epoch; known once the run is set up."""
        return self.train_plan.steps_per_epoch

    @property
    def missing_steps(self) -> int:
        """By which the last epoch of the run is shorter than the others."""
        num_steps = self.length.num_steps
        if num_steps is None:
            return 0
        return (self._first_step - num_steps) % self.steps_per_epoch

    def setup(self, stage: str) -> None:
        """Plan for as many processes as the trainer runs."""
        num_ranks = self.trainer.world_size
        self.train_plan = self._plan(
            num_ranks, self.trainer.global_rank, self.accumulate
        )
        if not self.trainer.is_global_zero or self.per_process:
            return
        is_alone = num_ranks * self.accumulate == 1  # and has that plan already
        plan = self.train_plan if is_alone else self._plan(1, 0, 1)
        alone = plan.steps_per_pass
        if self.train_plan.steps_per_pass != alone:
            log.warning(
                "%d items make %d steps an epoch, but %d on one process without "
                "accumulation: each of %d processes x %d accumulated batches needs one "
                "of its own in every step; for the same steps use fewer of them, or "
                "more data in a step",
                len(self.train_sizes),
                self.train_plan.steps_per_pass,
                alone,
                num_ranks,
                self.accumulate,
            )

    def _plan(self, num_ranks: int, rank: int, accumulate: int) -> BatchPlan:
        num_batches = num_ranks * accumulate if self.per_process else 1
        return BatchPlan(
            self.train_sizes,
            self.train_batch * num_batches,
            self.num_buckets,
            shuffle=True,
            seed=self.seed,
            num_ranks=num_ranks,
            rank=rank,
            accumulate=accumulate,
            steps_per_epoch=self.wanted_steps_per_epoch,
            max_steps=self.max_steps,
            window=self.window,
            num_joined=self.num_joined,
        )

    def train_dataloader(self) -> DataLoader:
        """Load the training batches that are left of the current epoch.

        After a resume within an epoch, Lightning's progress counts the
        batches that are done. A plan that skips them is all it takes: the
        randomness of the others depends on their keys alone.
        """
        loop = self.trainer.fit_loop
        # Not trainer.current_epoch: a checkpoint that was written at the end of
        # an epoch has processed that epoch, but not completed it.
        epoch = loop.epoch_progress.current.processed
        within = loop.epoch_loop.batch_progress
        done = 0 if within.is_last_batch else within.current.processed
        first_step = self.trainer.global_step - done // self.accumulate
        self.begin_at(epoch, first_step)
        self.train_plan.set_epoch(epoch)
        planned = len(self.train_plan)
        if done > planned:
            log.warning(
                "%d batches of epoch %d are done, but it has %d: an older version of "
                "speechgru planned it; what is left of it is passed over",
                done,
                epoch + 1,
                planned,
            )
        self.train_plan.set_epoch(epoch, skip=min(done, planned))
        step = self.trainer.global_step
        self.length.settle(step, epoch, first_step, self.steps_per_epoch)
        if self.max_steps is not None or self.length.max_time is not None:
            loop.max_epochs = self.num_epochs(epoch, first_step)
        return self._load(self.train_data, self.train_plan)

    def begin_at(self, epoch: int, first_step: int) -> None:
        """Let an epoch begin with a step of the run, both counted from 0.

        The one before it may have been shorter than others.
        """
        self._first_step = first_step
        self.train_plan.begin_at(epoch, first_step)

    def num_epochs(self, epoch: int, first_step: int) -> int:
        """Epochs of the run, as many as there may be where nobody knows.

        Args:
            epoch: counted from 0.
            first_step: with which it begins.
        """
        num_steps = self.max_steps or self.length.num_steps
        if num_steps is None:
            return MOST_COUNT
        left = max(0, num_steps - first_step)
        return epoch + math.ceil(left / self.steps_per_epoch)

    def val_dataloader(self) -> DataLoader:
        """Load the batches of validation."""
        plan = BatchPlan(
            self.dev_sizes,
            self.dev_batch,
            num_ranks=self.trainer.world_size,
            rank=self.trainer.global_rank,
        )
        return self._load(self.dev_data, plan)

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Raise InputError here if a batch could not be loaded."""
        if isinstance(batch, LoadingFailure):
            raise InputError(batch.message)
        return batch

    def transfer_batch_to_device(
        self, batch: Any, device: torch.device, dataloader_idx: int
    ) -> Any:
        """Send a batch to the device without waiting for it; lengths stay here."""
        return batch.to(device, non_blocking=True)

    def _load(self, data: Dataset, plan: BatchPlan) -> DataLoader:
        on_gpu = self.trainer.strategy.root_device.type == "cuda"
        num_workers = self.num_workers
        if num_workers == "auto":
            cores = num_processors() // max(1, self.trainer.num_devices)
            num_workers = max(1, min(MOST_WORKERS, cores)) if on_gpu else 0
        return DataLoader(
            NamedFailures(data),
            batch_size=None,  # the sampler's items are whole batches
            sampler=plan,
            num_workers=num_workers,
            worker_init_fn=ignore_signals,
            persistent_workers=num_workers > 0,
            pin_memory=on_gpu,
        )
