"""What happens around training: checkpoints, stopping cleanly, progress."""

import logging
import signal
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Checkpoint

from speechgru.interfaces import InputError
from speechgru.ranges import EPOCHS, INTERVAL, check
from speechgru.run_files import BEST, LAST
from speechgru.threads import give_back_memory
from speechgru.training.agreement import Agreement
from speechgru.training.checkpoint_writer import CheckpointWriter
from speechgru.training.interruption import Interrupted, Interruption
from speechgru.training.length import LENGTH_KEY
from speechgru.training.task import TrainingTask

log = logging.getLogger(__name__)

CONFIG_KEY, STEPS_KEY = "config", "steps_per_epoch"
"""What last.ckpt keeps of its run, to be compared when that goes on."""


def rank_scores(scores: Iterable[str], best: str | None) -> tuple[str, ...]:
    """Names of scores, that first which makes a checkpoint the best.

    Args:
        scores: what validation logs, e.g. "val/wer".
        best: e.g. "cer"; None: the first of them.

    Raises:
        InputError: validation logs no such score.
    """
    names = tuple(scores)
    first = names[0] if best is None else f"val/{best}"
    if first not in names:
        known = ", ".join(name.removeprefix("val/") for name in names)
        raise InputError(f"callbacks.best is {best!r}, expected one of: {known}")
    return (first, *(name for name in names if name != first))


class Checkpoints(Checkpoint):
    """Keep `last.ckpt`, to resume from, and `best.ckpt`, to transcribe with.

    `last.ckpt` is written after every epoch, every `save_every` seconds
    between optimiser steps, and when a signal ends the run. `best.ckpt` holds
    no optimiser; it is written when validation reaches a lower score, by the
    first of `ranking`, at equal values the next; without validation, after every
    epoch. `epoch-0010.ckpt` and its like hold what `best.ckpt` would
    if that epoch were the best; `speechgru average` makes one of several.

    The first Ctrl-C or SIGTERM ends the run after the current step, at the
    same step on every process; a second one kills it.

    Args:
        folder: of the run.
        interruption: knows of signals.
        writer: of the files.
        config: of the run, plain values, to be kept in `last.ckpt`.
        ranking: names of scores, from `rank_scores`.
        save_every: s between checkpoints within an epoch.
        save_every_steps: optimiser steps between them, as well; None: no such.
        keep_every: epochs between checkpoints that stay; None: none stay.
    """

    def __init__(
        self,
        folder: str | Path,
        interruption: Interruption,
        writer: CheckpointWriter,
        config: Mapping[str, Any],
        ranking: tuple[str, ...],
        save_every: float,
        save_every_steps: int | None = None,
        keep_every: int | None = None,
    ) -> None:
        check("save_every", save_every, INTERVAL)
        if keep_every is not None:
            check("keep_every", keep_every, EPOCHS)
        self.folder = Path(folder)
        self.interruption = interruption
        self.writer = writer
        self.config = dict(config)
        self.ranking = ranking
        self.save_every = save_every
        self.save_every_steps = save_every_steps
        self.keep_every = keep_every
        self.best: tuple[float, ...] | None = None
        self.best_epoch = 0
        self._saved_at = time.monotonic()
        self._agreement = Agreement(1)  # until it is known how many processes there are

    @property
    def best_scores(self) -> dict[str, float]:
        """The best scores so far, by their names."""
        return dict(zip(self.ranking, self.best or (), strict=False))

    def state_dict(self) -> dict[str, Any]:
        """The best scores so far, and their epoch."""
        return {"best": self.best, "best_epoch": self.best_epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the best so far."""
        self.best, self.best_epoch = state_dict["best"], state_dict["best_epoch"]

    def on_save_checkpoint(
        self, trainer: L.Trainer, task: TrainingTask, checkpoint: dict[str, Any]
    ) -> None:
        """Keep what the run was told, and how it cuts an epoch into steps."""
        checkpoint[CONFIG_KEY] = self.config
        checkpoint[STEPS_KEY] = trainer.datamodule.steps_per_epoch
        checkpoint[LENGTH_KEY] = trainer.datamodule.length.course.to_plain()

    def on_load_checkpoint(
        self, trainer: L.Trainer, task: TrainingTask, checkpoint: dict[str, Any]
    ) -> None:
        """Raise InputError if an epoch is cut into other steps than before."""
        now = trainer.datamodule.steps_per_epoch
        before = checkpoint.get(STEPS_KEY, now)
        if now != before:
            raise InputError(
                f"an epoch has {now} steps on {trainer.world_size} processes, but had "
                f"{before} when the run began, on another number of processes; take as "
                "many as then, by trainer.devices"
            )

    def on_train_start(self, trainer: L.Trainer, task: TrainingTask) -> None:
        """From now on there is a step to end before the run does."""
        self._agreement = Agreement(trainer.world_size)
        self.interruption.wait_for_step()

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        task: TrainingTask,
        outputs: Any,
        batch: Any,
        index: int,
    ) -> None:
        """Between steps: save if it is time, and end if a signal asks for it."""
        self.writer.check()
        done = index + 1
        if done % trainer.accumulate_grad_batches:
            return  # accumulated gradients are in no checkpoint
        if trainer.fit_loop.epoch_loop.batch_progress.is_last_batch:
            # Loading processes of validation are forked next: not beside a thread
            # that is at work. The end of an epoch is saved after its validation.
            self.writer.finish()
            return
        # The first process's clock decides for all.
        due = time.monotonic() - self._saved_at >= self.save_every
        if self.save_every_steps is not None:
            due = due or trainer.global_step % self.save_every_steps == 0
        stop, save = self._agreement.ask(
            self.interruption.number is not None, due and trainer.is_global_zero
        )
        if stop or save:
            self._save_last(trainer)
        if stop:
            self._end()

    def on_validation_end(self, trainer: L.Trainer, task: TrainingTask) -> None:
        """Keep the model, if it is the best so far."""
        metrics = trainer.callback_metrics
        score = tuple(float(metrics[name]) for name in self.ranking)
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
        stop, _ = self._agreement.settle(self.interruption.number is not None, False)
        if stop:
            self._end()

    def _end(self) -> None:
        self.writer.finish()  # before it is said that the run was saved
        raise Interrupted(self.interruption.number or signal.SIGTERM)

    def _save_best(self, trainer: L.Trainer, task: TrainingTask) -> None:
        self.best_epoch = trainer.current_epoch + 1
        self._save_slim(trainer, task, BEST)

    def _save_slim(self, trainer: L.Trainer, task: TrainingTask, name: str) -> None:
        if trainer.is_global_zero:
            # Callbacks of one process only must not call the trainer's save,
            # which waits for all.
            slim = {"state_dict": task.best_state_dict(), **task.description()}
            self.writer.save_checkpoint(slim, self.folder / name)

    def _save_last(self, trainer: L.Trainer) -> None:
        trainer.save_checkpoint(self.folder / LAST)
        give_back_memory()
        self._saved_at = time.monotonic()
