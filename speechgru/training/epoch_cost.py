"""What an epoch costs on this machine, by some steps of the training itself."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback

from speechgru.advice.batches import describe_filling
from speechgru.data.utterances import durations_of
from speechgru.interfaces import Utterance
from speechgru.options.training import TrainerOptions, TrainOptions
from speechgru.progress import Progress, say_duration
from speechgru.threads import set_up_cpu
from speechgru.training.build import build_speech
from speechgru.training.length import Length
from speechgru.training.progress import VALIDATION_COST
from speechgru.training.run_described import Run
from speechgru.training.trial import make_trial_trainer, quiet

BUSY = 0.7
"""Share of a core; with less, a run on this machine alone would be faster."""


@dataclass(frozen=True)
class EpochCost:
    """What was measured, and what follows from it.

    Attributes:
        num_steps: that were timed, behind one that was not.
        step_seconds: s of the clock, the mean; loading included.
        cpu_seconds: s of the processor, likewise.
        audio: s of audio in them, each utterance once.
        hours: h of audio in an epoch.
        dev_hours: h that are validated on.
        num_parameters: of the model.
        filling: how full the steps are, in words.
    """

    num_steps: int
    step_seconds: float
    cpu_seconds: float
    audio: float
    hours: float
    dev_hours: float
    num_parameters: int
    filling: str

    def describe(self, num_epochs: int) -> list[str]:
        """In lines: of an epoch, and of so many."""
        rate = self.step_seconds * self.num_steps / self.audio
        share = self.cpu_seconds / self.step_seconds
        epoch = rate * 3600 * (self.hours + VALIDATION_COST * self.dev_hours)
        whole = epoch * num_epochs
        busy = (
            f"; the machine is busy: this process had {100 * share:.0f} % of a core"
            if share < BUSY
            else ""
        )
        return [
            f"here, by {self.num_steps} steps of a model of {self.num_parameters:,} "
            f"parameters: {self.step_seconds:.2f} s a step",
            f"{say_duration(epoch)} an epoch, {say_duration(whole)} for {num_epochs} "
            f"epochs, {whole * share / 60:.0f} CPU-minutes{busy}",
            self.filling,
        ]


def measure_epoch(
    options: TrainOptions, splits: Mapping[str, Sequence[Utterance]], num_steps: int
) -> EpochCost:
    """Take some steps of a training, of which nothing is kept.

    Args:
        options: of the training.
        splits: train and dev.
        num_steps: that are timed, behind one that is not.

    Raises:
        InputError: the options or the data do not do.
    """
    set_up_cpu(options.trainer.num_threads)
    with quiet():
        L.seed_everything(options.seed, verbose=False)
        # No folder: nothing is examined or written.
        length = Length(TrainerOptions(max_steps=num_steps + 1))
        run = Run(Path(os.devnull), None, None, False, length)
        task, data = build_speech(options, dict(splits), run)
        with Progress("advise", num_steps + 1, "steps") as progress:
            watch = StepWatch(progress)
            trainer = make_trial_trainer(options.trainer, num_steps + 1, [watch])
            trainer.fit(task, datamodule=data)
    durations = durations_of(splits["train"])
    views = getattr(task, "num_views", 1)
    batches = options.data
    return EpochCost(
        num_steps=watch.num_steps,
        step_seconds=(watch.ends[-1][0] - watch.ends[0][0]) / watch.num_steps,
        cpu_seconds=(watch.ends[-1][1] - watch.ends[0][1]) / watch.num_steps,
        audio=watch.audio / views / data.train_data.sample_rate,
        hours=float(durations.sum()) / 3600,
        dev_hours=float(durations_of(splits["dev"]).sum()) / 3600,
        num_parameters=task.model.num_parameters,
        filling=describe_filling(
            data.train_sizes, batches.batch_seconds, batches.num_buckets, views
        ),
    )


class StepWatch(Callback):
    """Note when steps end.

    Args:
        progress: to advance.

    Attributes:
        ends: s of the clock and of the processor at the end of each step.
        audio: samples in all steps but the first, all views.
    """

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.ends: list[tuple[float, float]] = []
        self.audio = 0

    @property
    def num_steps(self) -> int:
        """That were timed."""
        return len(self.ends) - 1

    def on_train_batch_end(
        self, trainer: L.Trainer, task: Any, outputs: Any, batch: Any, index: int
    ) -> None:
        """Note it, once the device has done its work."""
        device = trainer.strategy.root_device
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if self.ends:
            self.audio += int(batch.waveform_lengths.sum())
        self.ends.append((time.perf_counter(), time.process_time()))
        self.progress.advance(1)
