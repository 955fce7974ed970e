"""How long steps and epochs of training take, and how long a run will."""

SLOW_STEP = 10.0  # s; a first step that is slower tells of the others, too


class TrainingClock:
    """Reckon the time of epochs and of the run from the steps so far.

    What lies between the last step of an epoch and the first of the next is
    validation and saving; until it was seen, it is reckoned in steps.

    Args:
        steps_per_epoch: optimiser steps.
        num_epochs: of the whole run.
        steps_between: what lies between epochs, in steps.
        missing_steps: by which the last epoch is shorter.
    """

    def __init__(
        self,
        steps_per_epoch: int,
        num_epochs: int,
        steps_between: float,
        missing_steps: int = 0,
    ) -> None:
        self.steps_per_epoch = steps_per_epoch
        self.num_epochs = num_epochs
        self.num_steps = 0  # that were timed
        self._steps_between = steps_between
        self._missing_steps = missing_steps
        self._seconds = 0.0  # of those steps
        self._between: float | None = None
        self._epoch = 0
        self._step = 0  # within the epoch
        self._marked_at: float | None = None
        self._is_warm = False

    def aim(self, num_epochs: int, missing_steps: int) -> None:
        """The run has another length.

        Args:
            num_epochs, missing_steps: see the class.
        """
        self.num_epochs, self._missing_steps = num_epochs, missing_steps

    def begin_epoch(self, epoch: int, step: int, now: float) -> None:
        """Go on in an epoch.

        Args:
            epoch: counted from 0.
            step: of the epoch, how many are done.
            now: the time, in s.
        """
        if self._marked_at is not None:
            self._between = now - self._marked_at
        self._epoch, self._step, self._marked_at = epoch, step, now

    def end_step(self, now: float) -> None:
        """An optimiser step is done."""
        seconds = now - self._marked_at
        self._step += 1
        self._marked_at = now
        # The first step loads and allocates what others find there.
        if self._is_warm or seconds >= SLOW_STEP:
            if self.num_steps >= max(self.steps_per_epoch, 100):
                # The machine may have become faster or slower.
                self._seconds *= self.num_steps // 2 / self.num_steps
                self.num_steps //= 2
            self.num_steps += 1
            self._seconds += seconds
        self._is_warm = True

    def end_epoch(self, now: float) -> None:
        """The last step and validation are done."""
        self._between = now - self._marked_at
        self._epoch, self._step = self._epoch + 1, 0

    @property
    def seconds_per_step(self) -> float:
        """Mean s of an optimiser step; nan until there was one."""
        return self._seconds / self.num_steps if self.num_steps else float("nan")

    @property
    def seconds_per_epoch(self) -> float:
        """s of an epoch, validation included."""
        return self.steps_per_epoch * self.seconds_per_step + self.seconds_between

    @property
    def seconds_left(self) -> float:
        """s until the run is done."""
        epochs = self.num_epochs - self._epoch
        if not epochs:
            return 0.0
        steps = self._step + self._missing_steps  # that are done, or not to be done
        return epochs * self.seconds_per_epoch - steps * self.seconds_per_step

    @property
    def seconds_between(self) -> float:
        """s between the last step of an epoch and the first of the next."""
        if self._between is None:
            return self._steps_between * self.seconds_per_step
        return self._between
