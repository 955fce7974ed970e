"""What happens around training: checkpoints, stopping cleanly, progress."""

import logging
import math
import signal
import time
from pathlib import Path
from typing import Any

import lightning as L
from lightning.fabric.plugins.io import CheckpointIO
from lightning.pytorch.callbacks import Callback, Checkpoint

from speechgru.files import replace_file
from speechgru.model.checkpoint import read_checkpoint, write_checkpoint
from speechgru.options import EPOCHS, INTERVAL, check
from speechgru.score.curves import draw_curves
from speechgru.score.learning import read_learning_curves
from speechgru.task.training import TrainingTask

log = logging.getLogger(__name__)

BEST, LAST = "best.ckpt", "last.ckpt"
CURVES = "curves.png"


class SafeCheckpointIO(CheckpointIO):
    """Write atomically; read tensors and plain values only."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Write a training checkpoint."""
        write_checkpoint(checkpoint, path)

    def load_checkpoint(self, path: str | Path, *_: Any, **__: Any) -> dict[str, Any]:
        """Read a training checkpoint."""
        return read_checkpoint(path)

    def remove_checkpoint(self, path: str | Path) -> None:
        """Delete a checkpoint."""
        Path(path).unlink()


class Checkpoints(Checkpoint):
    """Keep `last.ckpt`, to resume from, and `best.ckpt`, to transcribe with.

    `last.ckpt` is written after every epoch, every `save_every` seconds
    between optimiser steps, and when a signal ends the run. `best.ckpt` holds
    no optimiser; it is written when validation reaches a lower score: of a
    recogniser the WER, at equal WER the CER, then the loss; without validation,
    after every epoch. `epoch-0010.ckpt` and its like hold what `best.ckpt` would
    if that epoch were the best; `speechgru average` makes one of several.

    The first Ctrl-C or SIGTERM ends the run after the current step, at the
    same step on every process; a second one kills it.

    Args:
        folder: of the run.
        save_every: s between checkpoints within an epoch.
        keep_every: epochs between checkpoints that stay; None: none stay.
    """

    def __init__(
        self, folder: str | Path, save_every: float, keep_every: int | None = None
    ) -> None:
        check("save_every", save_every, INTERVAL)
        if keep_every is not None:
            check("keep_every", keep_every, EPOCHS)
        self.folder = Path(folder)
        self.save_every = save_every
        self.keep_every = keep_every
        self.best: tuple[float, ...] | None = None
        self.best_epoch = 0
        self.signal: int | None = None
        self._stop = False
        self._saved_at = time.monotonic()
        self._handlers: dict[int, Any] = {}

    def state_dict(self) -> dict[str, Any]:
        """The best scores so far, and their epoch."""
        return {"best": self.best, "best_epoch": self.best_epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the best so far."""
        self.best, self.best_epoch = state_dict["best"], state_dict["best_epoch"]

    def on_train_start(self, trainer: L.Trainer, task: TrainingTask) -> None:
        """Take over the signals."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._handlers[number] = signal.signal(number, self._on_signal)

    def teardown(self, trainer: L.Trainer, task: TrainingTask, stage: str) -> None:
        """Give the signals back."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        task: TrainingTask,
        outputs: Any,
        batch: Any,
        index: int,
    ) -> None:
        """Between steps: save if it is time, and end if a signal asks for it."""
        done = index + 1
        if done % trainer.accumulate_grad_batches:
            return  # accumulated gradients are in no checkpoint
        stop = trainer.strategy.reduce_boolean_decision(
            self.signal is not None, all=False
        )
        self._stop = stop
        if done == trainer.num_training_batches:
            return  # the end of an epoch is saved after its validation
        if stop or self._is_due(trainer):
            self._save_last(trainer)
        if stop:
            raise Interrupted(self.signal or signal.SIGTERM)

    def on_validation_end(self, trainer: L.Trainer, task: TrainingTask) -> None:
        """Keep the model, if it is the best so far."""
        metrics = trainer.callback_metrics
        score = tuple(float(metrics[name]) for name in task.scores)
        if self.best is None or score < self.best:
            self.best = score
            self._save_best(trainer, task)

    def on_train_epoch_end(self, trainer: L.Trainer, task: TrainingTask) -> None:
        """Save after every epoch."""
        if not trainer.enable_validation:
            self._save_best(trainer, task)
        number = trainer.current_epoch + 1
        if self.keep_every is not None and number % self.keep_every == 0:
            self._save_slim(trainer, task, f"epoch-{number:04d}.ckpt")
        self._save_last(trainer)
        if self._stop:
            raise Interrupted(self.signal or signal.SIGTERM)

    def _is_due(self, trainer: L.Trainer) -> bool:
        # The first process's clock decides for all.
        due = time.monotonic() - self._saved_at >= self.save_every
        return trainer.strategy.broadcast(due)

    def _save_best(self, trainer: L.Trainer, task: TrainingTask) -> None:
        self.best_epoch = trainer.current_epoch + 1
        self._save_slim(trainer, task, BEST)

    def _save_slim(self, trainer: L.Trainer, task: TrainingTask, name: str) -> None:
        if trainer.is_global_zero:
            # Callbacks of one process only must not call the trainer's save,
            # which waits for all.
            slim = {"state_dict": task.best_state_dict(), **task.description()}
            write_checkpoint(slim, self.folder / name)

    def _save_last(self, trainer: L.Trainer) -> None:
        trainer.save_checkpoint(self.folder / LAST)
        self._saved_at = time.monotonic()

    def _on_signal(self, number: int, frame: Any) -> None:
        if self.signal is not None:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.signal = number
        log.info("%s: ending after this step", signal.Signals(number).name)


class Curves(Callback):
    """Keep `curves.png` in the run folder up to date while it trains.

    Args:
        folder: of the run; its metrics/ are drawn.
        draw_every: s between pictures, at least; the last epoch is always drawn.
    """

    def __init__(self, folder: str | Path, draw_every: float) -> None:
        self.folder = Path(folder)
        self.draw_every = draw_every
        self._drawn_at = -math.inf

    def on_train_epoch_start(self, trainer: L.Trainer, task: TrainingTask) -> None:
        """Draw the epochs before, unless it was done a moment ago."""
        # At the end of an epoch Lightning has not logged all of it yet.
        due = time.monotonic() - self._drawn_at >= self.draw_every
        if trainer.is_global_zero and due and trainer.current_epoch > 0:
            self._draw(trainer)

    def on_train_end(self, trainer: L.Trainer, task: TrainingTask) -> None:
        """Draw the last epoch."""
        if trainer.is_global_zero:
            self._draw(trainer)

    def _draw(self, trainer: L.Trainer) -> None:
        for logger in trainer.loggers:
            logger.save()
        curves = read_learning_curves(self.folder)
        replace_file(self.folder / CURVES, draw_curves(curves, str(self.folder)))
        self._drawn_at = time.monotonic()


class Interrupted(Exception):  # noqa: N818 - it is no error
    """A signal ended training; `last.ckpt` is written."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number
