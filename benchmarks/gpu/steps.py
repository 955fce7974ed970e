"""The project's own training, through Lightning's Trainer, with a stopwatch in it."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from rounding import TRAINER
from sizes import Sizes
from torch import Tensor

from speechgru.interfaces import Batch, Utterance
from speechgru.options import TrainOptions, choose, read_recipe
from speechgru.options.training import (
    CallbackOptions,
    DataOptions,
    LoggerOptions,
    TrainerOptions,
)
from speechgru.training.build import build_speech
from speechgru.training.checkpoint_writer import CheckpointWriter
from speechgru.training.interruption import Interruption
from speechgru.training.length import Length
from speechgru.training.run import fit, make_trainer
from speechgru.training.run_described import Run
from speechgru.training.task import TrainingTask

QUIET = {
    "logger": LoggerOptions(csv=False, tensorboard=False),
    "callbacks": CallbackOptions(save_every=1e6),
}
"""Neither checkpoints nor metrics fall into the few steps that are timed."""


class Shape(NamedTuple):
    """The sizes of a batch.

    Attributes:
        input_lengths: (B,) frames that enter the encoder.
        target_lengths: (B,) tokens.
    """

    input_lengths: Tensor
    target_lengths: Tensor


class Window(NamedTuple):
    """Some steps that were timed together.

    Attributes:
        seconds: that they took.
        audio: s that was trained on; of several views of an utterance one counts.
        shapes: of their batches.
    """

    seconds: float
    audio: float
    shapes: list[Shape]


class Enough(BaseException):
    """Ends a training whose steps are all timed; no Exception, so nobody keeps it."""


def wait_for(device: str) -> None:
    """Let the device finish what it was given."""
    if device == "cuda":
        torch.cuda.synchronize()


class Stopwatch(Callback):
    """Time windows of steps behind a warm-up.

    Args:
        sizes: how many.
    """

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        self.windows: list[Window] = []
        self._num_done = 0
        self._began_at = 0.0
        self._audio = 0.0
        self._shapes: list[Shape] = []

    def on_train_batch_start(
        self, trainer: L.Trainer, task: TrainingTask, batch: Batch, index: int
    ) -> None:
        """Note what the batch holds."""
        model = task.model
        lengths = batch.waveform_lengths
        self._audio += lengths.sum().item() / model.sample_rate / batch.num_views
        frames = model.subsampling.output_lengths(
            model.features.output_lengths(lengths)
        )
        self._shapes.append(Shape(frames, batch.target_lengths))

    def on_train_batch_end(
        self, trainer: L.Trainer, task: TrainingTask, *_: Any, **__: Any
    ) -> None:
        """Look at the clock where a window ends."""
        self._num_done += 1
        timed = self._num_done - self._sizes.warmup
        if timed >= 0 and timed % self._sizes.window == 0:
            wait_for(self._sizes.device)
            now = time.perf_counter()
            if 0 < timed <= self._sizes.num_windows * self._sizes.window:
                self.windows.append(
                    Window(now - self._began_at, self._audio, self._shapes)
                )
            self._audio, self._shapes, self._began_at = 0.0, [], now


class End(Callback):
    """End the training after so many steps; it must be the last callback.

    Args:
        num_steps: to take.
    """

    def __init__(self, num_steps: int) -> None:
        self._num_left = num_steps

    def on_train_batch_end(self, *_: Any, **__: Any) -> None:
        """Count."""
        self._num_left -= 1
        if self._num_left == 0:
            raise Enough


def train_a_while(
    options: TrainOptions, utterances: Sequence[Utterance], callbacks: list[Callback]
) -> TrainingTask:
    """Train until the callbacks have seen enough.

    Args:
        options: of the run.
        utterances: to train on; there must be enough of them.
        callbacks: the last of them raises Enough.

    Raises:
        RuntimeError: the data came to an end first.
    """
    with tempfile.TemporaryDirectory() as name, Interruption() as interruption:
        folder = Path(name)
        writer = CheckpointWriter()
        length = Length(options.trainer)
        trainer = make_trainer(options, folder, interruption, writer, length)
        trainer.callbacks.extend(callbacks)
        trainer.limit_val_batches = 0
        run = Run(folder, None, None, True, length)
        splits: dict[str, list[Utterance]] = {"train": list(utterances), "dev": []}
        task, datamodule = build_speech(options, splits, run)
        try:
            with writer:
                fit(trainer, task, datamodule, folder, False, interruption)
        except Enough:
            return task
    raise RuntimeError(f"{len(utterances)} utterances were too few to be timed")


def plain_options(
    sizes: Sizes,
    encoder: str,
    hidden_size: int,
    batch_seconds: float,
    precision: str,
    augment: Sequence[str] = (),
) -> TrainOptions:
    """The defaults with another encoder, other batches and augmentation."""
    return TrainOptions(
        corpus=choose("corpus", "manifest"),
        encoder=choose(
            "encoder", encoder, hidden_size=hidden_size, num_layers=sizes.num_layers
        ),
        normalize=choose("normalize", "global", num_utterances=4),
        augment={name: choose("augment", name) for name in augment},
        data=DataOptions(batch_seconds=batch_seconds, check=False),
        trainer=trainer_options(sizes, precision),
        **QUIET,
    )


def recipe_options(sizes: Sizes, recipe: str, precision: str) -> TrainOptions:
    """A recipe as it is, but for its corpus."""
    options = read_recipe(recipe)
    data = replace(options.data, check=False)
    if sizes.recipe_batch is not None:
        data = replace(data, batch_seconds=sizes.recipe_batch)
    return replace(
        options,
        corpus=choose("corpus", "manifest"),
        data=data,
        trainer=trainer_options(sizes, precision),
        **QUIET,
    )


def trainer_options(sizes: Sizes, precision: str) -> TrainerOptions:
    """One device."""
    return TrainerOptions(
        accelerator="gpu" if sizes.device == "cuda" else "cpu",
        devices=1,
        precision=TRAINER[precision],
        max_epochs=1,
    )
