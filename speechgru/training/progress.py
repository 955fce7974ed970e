"""What is said while training goes on."""

import logging
import math
import os
import time
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping

from speechgru import process_memory
from speechgru.progress import FIRST_LINE, Pace, Progress, say_duration
from speechgru.training.clock import TrainingClock
from speechgru.training.task import TrainingTask
from speechgru.training.watch import Seen, Watch

log = logging.getLogger(__name__)

ENOUGH_STEPS = 20  # to tell how long a run will last
ENOUGH_SECONDS = 10.0
SAMPLES_EVERY = 30.0  # s, at least, between decoded utterances in the log
LONG_RUN = 3 * 3600.0  # s; what lasts longer is warned of
WORTH_A_WORD = 600.0  # s; of what lasts longer it is said how to save some
VALIDATION_COST = 1 / 3  # of a second of speech, against training on it


class TrainingProgress(Callback):
    """Say how long a run will last, how far it is, and what goes wrong.

    On a terminal there is a bar within each epoch, elsewhere a line now and then;
    anywhere a line for each epoch. Only the first process speaks.

    Args:
        score: name of the logged score that makes a checkpoint the best.
    """

    def __init__(self, score: str) -> None:
        self._score = score
        self._watch = Watch()
        self._progress: Progress | None = None
        self._began_at = self._epoch_began_at = 0.0
        self._is_within = False  # an epoch
        self._sampled_at = -math.inf
        self._has_told = False

    def state_dict(self) -> dict[str, Any]:
        """What was seen of the learning curve."""
        return self._watch.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on watching."""
        self._watch.load_state_dict(state_dict)

    def on_train_start(self, trainer: L.Trainer, task: TrainingTask) -> None:
        """Begin, perhaps within an epoch that is resumed."""
        if not trainer.is_global_zero:
            return
        if trainer.ckpt_path:
            log.info("resuming behind step %d", trainer.global_step)
        data = trainer.datamodule
        self._clock = TrainingClock(
            data.steps_per_epoch, trainer.max_epochs, expected_between(trainer)
        )
        self._began_at = time.monotonic()
        self._pace = Pace(FIRST_LINE, self._began_at)

    def on_train_batch_start(
        self, trainer: L.Trainer, task: TrainingTask, batch: Any, index: int
    ) -> None:
        """Begin to count the steps of an epoch, behind those that are done."""
        # Lightning does not tell when an epoch begins that is resumed within.
        if not trainer.is_global_zero or self._is_within:
            return
        self._is_within = True
        now = self._epoch_began_at = time.monotonic()
        done = index // trainer.accumulate_grad_batches
        self._clock.begin_epoch(trainer.current_epoch, done, now)
        data = trainer.datamodule
        num_steps = len(data.train_plan) // trainer.accumulate_grad_batches
        if data.length.num_steps is not None:
            left = data.length.num_steps - trainer.global_step
            num_steps = min(num_steps, done + left)
        self._open(_name_epoch(trainer), num_steps, "steps", done)

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        task: TrainingTask,
        outputs: Any,
        batch: Any,
        index: int,
    ) -> None:
        """Count a step."""
        if self._progress is None or (index + 1) % trainer.accumulate_grad_batches:
            return
        now = time.monotonic()
        self._clock.end_step(now)
        self._aim(trainer)
        if not self._has_told and self._can_tell(trainer, now):
            self._has_told = True
            self._tell(trainer)
            self._pace.rest(now, self._clock.seconds_per_epoch)
        self._progress.advance(1, lambda: self._describe_step(trainer))

    def on_validation_start(self, trainer: L.Trainer, task: TrainingTask) -> None:
        """Begin to count what is validated."""
        if trainer.is_global_zero:
            name = f"{_name_epoch(trainer)}, validation"
            self._open(name, int(sum(trainer.num_val_batches)), "batches")

    def on_validation_batch_end(
        self, trainer: L.Trainer, task: TrainingTask, *_: Any, **__: Any
    ) -> None:
        """Count a batch."""
        if self._progress is not None:
            self._progress.advance()

    def on_train_epoch_end(self, trainer: L.Trainer, task: TrainingTask) -> None:
        """Log the epoch and a few decoded utterances; warn of what goes wrong."""
        self._close()
        if not self._is_within:
            return
        self._is_within = False
        now = time.monotonic()
        self._clock.end_epoch(now)
        self._aim(trainer)
        self._pace.rest(now, self._clock.seconds_per_epoch)
        log.info("%s", self._describe_epoch(trainer, task, now))
        is_last = trainer.current_epoch + 1 == trainer.max_epochs
        if is_last or now - self._sampled_at >= SAMPLES_EVERY:
            self._sampled_at = now
            for id, reference, hypothesis in task.samples:
                log.info("  %s: %s | heard: %s", id, reference, hypothesis)
        if trainer.enable_validation:
            for warning in self._watch.see(_see(trainer, task, self._score)):
                log.warning("%s", warning)

    def teardown(self, trainer: L.Trainer, task: TrainingTask, stage: str) -> None:
        """Take the bar away, whatever ended the run."""
        self._close()

    def _open(self, name: str, total: int, unit: str, done: int = 0) -> None:
        self._close()
        self._progress = Progress(
            name, total, unit, done, lambda line: log.info("%s", line), self._pace
        )

    def _close(self) -> None:
        if self._progress is not None:
            self._progress.close()
            self._progress = None

    def _aim(self, trainer: L.Trainer) -> None:
        """Reckon with the length that the run has by now."""
        self._clock.aim(trainer.max_epochs, trainer.datamodule.missing_steps)

    def _can_tell(self, trainer: L.Trainer, now: float) -> bool:
        num_steps = self._clock.num_steps
        if not trainer.datamodule.length.is_known:
            return False
        gone = now - self._began_at
        return num_steps >= ENOUGH_STEPS or (num_steps > 0 and gone >= ENOUGH_SECONDS)

    def _tell(self, trainer: L.Trainer) -> None:
        """Say what to expect, and warn of a long wait."""
        clock = self._clock
        if trainer.ckpt_path:
            whole = f"{say_duration(clock.seconds_left)} for what is left of"
        else:
            gone = time.monotonic() - self._began_at
            whole = f"{say_duration(gone + clock.seconds_left)} for"
        most = "at most " * any(isinstance(c, EarlyStopping) for c in trainer.callbacks)
        log.info(
            "%d steps an epoch, %.2g s each: about %s an epoch, %s%s %d epoch%s; "
            "%.2f GB of memory at the peak so far",
            clock.steps_per_epoch,
            clock.seconds_per_step,
            say_duration(clock.seconds_per_epoch),
            most,
            whole,
            trainer.max_epochs,
            "s" * (trainer.max_epochs != 1),
            peak_memory(trainer.strategy.root_device) / 1e9,
        )
        device = trainer.strategy.root_device.type
        is_slow = device == "cpu" and clock.seconds_left > WORTH_A_WORD
        if is_slow and (setting := process_memory.suggest_allocator()):
            log.info(
                "steps take less time, and memory, where the command begins with %s; "
                "see docs/how-to/slow-steps.md",
                setting,
            )
        is_wanted = trainer.datamodule.length.max_time is not None
        if clock.seconds_left > LONG_RUN and not is_wanted:
            by_steps = trainer.datamodule.max_steps is not None
            log.warning("%s", warn_of_length(clock, device, by_steps))

    def _describe_step(self, trainer: L.Trainer) -> str:
        said = f"loss {float(trainer.callback_metrics['train/step_loss']):.3f}"
        if self._clock.num_steps and trainer.datamodule.length.is_known:
            said += f", about {say_duration(self._clock.seconds_left)} left of the run"
        return said

    def _describe_epoch(
        self, trainer: L.Trainer, task: TrainingTask, now: float
    ) -> str:
        metrics = trainer.callback_metrics
        said = [f"{_name_epoch(trainer)}: train/loss {metrics['train/loss']:.3f}"]
        if trainer.enable_validation:
            said += [
                f"{name} {shown.format(float(metrics[name])).replace('%', ' %')}"
                for name, shown in reversed([*task.scores.items()])
            ]
        of_train, of_dev = task.losses_per_token
        if of_train != "train/loss":
            dev = f" (dev {metrics[of_dev]:.3f})" if of_dev in metrics else ""
            said.append(f"per token {metrics[of_train]:.3f}{dev}")
        said.append(f"{now - self._epoch_began_at:.0f} s")
        is_last = trainer.current_epoch + 1 == trainer.max_epochs
        if self._clock.num_steps and trainer.datamodule.length.is_known and not is_last:
            said.append(f"{say_duration(self._clock.seconds_left)} left")
        return ", ".join(said)


def expected_between(trainer: L.Trainer) -> float:
    """What validation will cost, in steps, before it was seen."""
    data = trainer.datamodule
    share = sum(data.dev_sizes) / sum(data.train_sizes) * VALIDATION_COST
    steps: float = share * data.train_plan.steps_per_pass
    return steps * bool(trainer.enable_validation)


def _see(trainer: L.Trainer, task: TrainingTask, score: str) -> Seen:
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
    of_train, of_dev = task.losses_per_token
    return Seen(
        epoch=trainer.current_epoch + 1,
        step=trainer.global_step,
        train_loss=metrics[of_train],
        dev_loss=metrics[of_dev],
        score=metrics[score],
        unheard=metrics.get("val/unheard"),
    )


def warn_of_length(clock: TrainingClock, device: str, by_steps: bool = False) -> str:
    """Say that a run will be long, and what to do about it.

    Args:
        clock: of the run.
        device: type of it, e.g. "cpu".
        by_steps: whether steps end the run, not epochs.
    """
    fitting = LONG_RUN / clock.seconds_per_epoch
    shorter = f"trainer.max_epochs={int(fitting)}"
    if by_steps or fitting < 1:
        shorter = f"trainer.max_steps={int(fitting * clock.steps_per_epoch)}"
    ways = ["a smaller encoder (encoder.hidden_size, encoder.num_layers)"]
    if device == "cpu":
        ways.append("a GPU (trainer=gpu)")
        if (os.cpu_count() or 1) > 1:
            ways.append("more processes (trainer=ddp_cpu)")
    return (
        f"this run would take about {say_duration(clock.seconds_left)}; "
        f"{shorter} takes {say_duration(LONG_RUN)}, and an epoch "
        f"takes less time with {' or '.join(ways)}"
    )


def peak_memory(device: torch.device) -> int:
    """Bytes that this process has held at most, on a GPU if it runs there."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return process_memory.peak_memory()


def _name_epoch(trainer: L.Trainer) -> str:
    number = trainer.current_epoch + 1
    if not trainer.datamodule.length.is_known:
        return f"epoch {number}"
    return f"epoch {number}/{trainer.max_epochs}"
