"""A run that ends when its time does: measured, planned, and held to its plan."""

import logging
import statistics
import time
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback

from speechgru.progress import say_duration
from speechgru.training.agreement import Agreement
from speechgru.training.budget import AIM, Costs, Position, plan
from speechgru.training.clock import TrainingClock
from speechgru.training.course import MEASURED_STEPS
from speechgru.training.length import Length
from speechgru.training.progress import expected_between
from speechgru.training.task import TrainingTask

ENOUGH_EPOCHS, MOST_EPOCHS = 3, 9
"""Whose validation and saving tell what others cost."""

log = logging.getLogger(__name__)

ENOUGH = 0.01
"""Share of the time that the first steps are measured for, at least."""

LONG_ENOUGH = 0.05
"""Share of the time that is enough for slow steps, be it one."""

REST_LATE, REST_EARLY = 0.02, 0.05
"""Shares of the time between two plans, where the run would end too late, too early."""


FEW = 0.5
"""Share of the epochs that are asked for; of fewer the log warns."""


class TimeBudget(Callback):
    """Fix the length of a run so that it ends with its time.

    The first process measures and plans; all of them take a turn behind the same step.
    When steps become slower or faster, the rest of the schedule is shortened or
    lengthened, without a jump of the learning rate. Turns that were written down before
    the run was killed are taken where they were, and none before them.

    Args:
        length: of the run.
    """

    def __init__(self, length: Length) -> None:
        self._length = length
        self._agreement = Agreement(1)  # until it is known how many processes there are
        self._clock: TrainingClock | None = None  # of the first process
        self._is_within = False  # an epoch
        self._first_at = self._planned_at = self._stepped_at = 0.0
        self._between: float | None = None  # s of the last validation
        self._betweens: list[float] = []  # s, saving included
        self._is_asking = False

    def on_train_start(self, trainer: L.Trainer, task: TrainingTask) -> None:
        """Begin to measure."""
        self._agreement = Agreement(trainer.world_size)
        self._first_at = time.monotonic()
        self._planned_at = self._length.seconds
        if trainer.is_global_zero:
            data = trainer.datamodule
            between = expected_between(trainer)
            self._clock = TrainingClock(data.steps_per_epoch, 1, between)

    def on_train_batch_start(
        self, trainer: L.Trainer, task: TrainingTask, batch: Any, index: int
    ) -> None:
        """Let the last step of the run end its epoch."""
        every = trainer.accumulate_grad_batches
        if not self._is_within:
            self._is_within = True
            if self._clock is not None:
                epoch, now = trainer.current_epoch, time.monotonic()
                self._clock.begin_epoch(epoch, index // every, now)
                if self._between is not None:
                    self._betweens.append(now - self._stepped_at)
        is_last = self._length.ends_at(trainer.global_step + 1)
        if is_last and (index + 1) % every == 0:
            trainer.fit_loop.epoch_loop.batch_progress.is_last_batch = True

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        task: TrainingTask,
        outputs: Any,
        batch: Any,
        index: int,
    ) -> None:
        """Measure a step, and see whether the time is going to be kept."""
        within, rest = divmod(index + 1, trainer.accumulate_grad_batches)
        if rest:
            return
        if self._clock is not None:
            self._stepped_at = time.monotonic()
            self._clock.end_step(self._stepped_at)
        if trainer.fit_loop.epoch_loop.batch_progress.is_last_batch:
            return  # all that is asked for behind it
        at = Position(trainer.global_step, within, trainer.datamodule.steps_per_epoch)
        (num_steps,) = self._agreement.ask(self._propose(at))
        self._turn(trainer, task, num_steps, at)

    def on_train_epoch_end(self, trainer: L.Trainer, task: TrainingTask) -> None:
        """See whether the time is going to be kept, now that validation is behind."""
        if not self._is_within:
            return
        self._is_within = False
        if self._clock is not None:
            now = time.monotonic()
            self._clock.end_epoch(now)
            self._between = now - self._stepped_at
        at = Position(trainer.global_step, 0, trainer.datamodule.steps_per_epoch)
        epochs = trainer.fit_loop.epoch_progress.current.processed
        trainer.datamodule.begin_at(epochs, at.step)
        trainer.fit_loop.max_epochs = trainer.datamodule.num_epochs(epochs, at.step)
        (num_steps,) = self._agreement.settle(self._propose(at))
        self._turn(trainer, task, num_steps, at)

    def _propose(self, at: Position) -> int:
        """How many steps the run should have, if that is to change; else 0."""
        clock, length = self._clock, self._length
        whole = length.max_time
        if clock is None or whole is None or self._is_asking or not clock.num_steps:
            return 0
        turns = length.course.turns
        if turns and turns[-1].step > at.step:
            return 0  # it is known what comes
        gone = self._length.seconds
        if not length.is_known:
            measured = time.monotonic() - self._first_at
            is_enough = clock.num_steps >= MEASURED_STEPS and measured >= ENOUGH * whole
            if not is_enough and measured < LONG_ENOUGH * whole:
                return 0
        elif at.within and clock.num_steps < min(MEASURED_STEPS, at.steps_per_epoch):
            return 0
        num_steps = plan(gone, whole, length.num_steps, at, self._costs(clock))
        if num_steps is None or not self._is_time(num_steps, gone - self._planned_at):
            return 0
        self._is_asking = True
        return max(1, num_steps)

    def _costs(self, clock: TrainingClock) -> Costs:
        """What steps and epochs are going to take."""
        between = self._between
        if len(self._betweens) >= ENOUGH_EPOCHS:
            # Curves are drawn behind some epochs only.
            between = statistics.median(self._betweens[-MOST_EPOCHS:])
        if between is None:
            between = clock.seconds_between
        return Costs(clock.seconds_per_step, between)

    def _is_time(self, num_steps: int, since: float) -> bool:
        """Whether a plan is old enough to be changed."""
        before = self._length.num_steps
        if before is None:
            return True
        share = REST_LATE if num_steps < before else REST_EARLY
        return since >= share * (self._length.max_time or 0.0)

    def _turn(
        self, trainer: L.Trainer, task: TrainingTask, num_steps: int, at: Position
    ) -> None:
        """Head for another end, on all processes; 0: go on as before."""
        if not num_steps:
            return
        # What was proposed a step ago may be over by now.
        num_steps = max(num_steps, at.step + bool(at.within))
        before = self._length.num_steps
        self._length.fix(at.step, num_steps)
        data, loop = trainer.datamodule, trainer.fit_loop
        epochs = loop.epoch_progress.current.processed
        loop.max_epochs = data.num_epochs(epochs, at.step - at.within)
        task.follow_schedule()
        if self._clock is not None:
            self._is_asking = False
            self._planned_at = self._length.seconds
            log.info("%s", self._describe(before, num_steps, loop.max_epochs, at))
            if before is None:
                self._compare(loop.max_epochs, at.steps_per_epoch)

    def _compare(self, num_epochs: int, steps_per_epoch: int) -> None:
        """Warn if there is time for a small part of what the recipe asks for."""
        assert self._clock is not None
        asked = self._length.asked_epochs
        if num_epochs >= FEW * asked:
            return
        costs = self._costs(self._clock)
        seconds = asked * (steps_per_epoch * costs.step + costs.between)
        log.warning(
            "that is %d of the %d epochs of trainer.max_epochs, which would take %s: "
            "expect more errors than it would have",
            num_epochs,
            asked,
            say_duration(seconds),
        )

    def _describe(
        self, before: int | None, num_steps: int, num_epochs: int, at: Position
    ) -> str:
        clock, whole = self._clock, self._length.max_time
        assert clock is not None
        assert whole is not None
        ends = time.time() + max(0.0, AIM * whole - self._length.seconds)
        costs = self._costs(clock)
        said = f"{costs.step:.2g} s a step and {costs.between:.2g} s behind each epoch"
        planned = (
            f"{num_epochs} epoch{'s' * (num_epochs != 1)} of {at.steps_per_epoch} "
            f"steps, {num_steps} steps in all"
        )
        end = time.strftime("%H:%M:%S", time.localtime(ends))
        if before is None:
            return (
                f"trainer.max_time is {say_duration(whole)}: {said}, measured on "
                f"{clock.num_steps} step{'s' * (clock.num_steps != 1)}: {planned}; "
                f"ends about {end}"
            )
        changed = "shortened" if num_steps < before else "lengthened"
        return (
            f"trainer.max_time is {say_duration(whole)}: {said} now: the rest of the "
            f"schedule is {changed}, from {before} steps to {planned}; ends about {end}"
        )
