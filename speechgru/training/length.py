"""How long a run is, now and before: its course, kept in the run folder."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speechgru.bounded import read_whole
from speechgru.files import replace_file, to_json
from speechgru.interfaces import InputError
from speechgru.options.training import TrainerOptions
from speechgru.run_files import LENGTH_FILE
from speechgru.training.course import Course, Schedule

LENGTH_KEY = "length"
"""Of the course in last.ckpt, for folders that have lost its file."""

MOST_BYTES = 1 << 20


class Length:
    """How many optimiser steps a run has, by what was asked for and what was measured.

    Every turn of its course is written down before it is taken, so that a run that is
    killed takes it again at the same step.

    Args:
        asked: how long the run shall be.
        course: how long it was to be so far.
        before: how long it was asked to be at its last checkpoint, for a run of an
            older version, which has no course; None: as now.
        path: of the file that keeps the course; None: another process does.
        began_at: when this process began with the run, by `time.monotonic`; None: now.
        spent: s that the run has taken before.
    """

    def __init__(
        self,
        asked: TrainerOptions,
        course: Course | None = None,
        before: TrainerOptions | None = None,
        path: Path | None = None,
        began_at: float | None = None,
        spent: float = 0.0,
    ) -> None:
        self.max_time = asked.max_seconds
        self.course = course or Course()
        self._asked = asked
        self._before = before or asked
        self._path = path
        self._began_at = time.monotonic() if began_at is None else began_at
        self._spent = spent

    @property
    def seconds(self) -> float:
        """That the run has taken, without pauses in which nothing was trained."""
        return self._spent + time.monotonic() - self._began_at

    @property
    def is_known(self) -> bool:
        """Whether the end of the run is; else its first steps are being measured."""
        turns = self.course.turns
        return self.max_time is None or (
            bool(turns) and turns[-1].max_time == self.max_time
        )

    @property
    def num_steps(self) -> int | None:
        """Of the run; None: that is not known yet."""
        return self.course.num_steps if self.is_known else None

    @property
    def asked_epochs(self) -> int:
        """That trainer.max_epochs asks for, whatever time there is."""
        return self._asked.max_epochs

    def ends_at(self, num_steps: int) -> bool:
        """Whether the run ends behind so many steps, or did before it was moved on."""
        return num_steps == self.num_steps or self.course.ended_at(num_steps)

    def factor(self, step: int, schedule: Schedule, warmup: float) -> float:
        """The learning rate of a step, as a factor of its peak; see `Course`."""
        return self.course.factor(step, schedule, warmup)

    def settle(
        self, step: int, epoch: int, first_step: int, steps_per_epoch: int
    ) -> None:
        """Head for what is asked for, once it is known how an epoch is cut.

        Args:
            step: how many steps are done.
            epoch: in which the run goes on, counted from 0.
            first_step: with which that epoch begins.
            steps_per_epoch: optimiser steps.
        """

        def count(limits: TrainerOptions) -> int:
            epochs = max(0, limits.max_epochs - epoch)
            return limits.max_steps or first_step + epochs * steps_per_epoch

        course = self.course
        if not course.turns and self._before.max_seconds is None:
            course = course.begun(count(self._before))
        if self.max_time is None:
            num_steps = count(self._asked)
            if num_steps > step and num_steps != course.num_steps:
                course = course.stretched(step, num_steps, "asked")
        if course != self.course:
            self._take(course)

    def fix(self, step: int, num_steps: int) -> None:
        """End the run, behind some steps, after as many as its time allows.

        Args:
            step: how many steps are done.
            num_steps: of the whole run.
        """
        if self.is_known:
            self._take(self.course.bent(step, num_steps, self.max_time))
        else:
            reason = "asked" if self.course.turns else "measured"
            self._take(self.course.stretched(step, num_steps, reason, self.max_time))

    def _take(self, course: Course) -> None:
        if self._path is not None:
            replace_file(self._path, to_json(course.to_plain(), indent=1) + b"\n")
        self.course = course


def read_course(folder: Path, checkpoint: Mapping[str, Any]) -> Course:
    """The course of a run that goes on.

    Args:
        folder: of the run.
        checkpoint: its last one; empty: it has none.

    Raises:
        InputError: what it says of its length is damaged.
    """
    path = folder / LENGTH_FILE
    try:
        turns = json.loads(read_whole(path, MOST_BYTES))
    except FileNotFoundError:
        # Older versions wrote neither.
        return Course.read(checkpoint.get(LENGTH_KEY, []), str(folder / LENGTH_FILE))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be read ({error}), expected the length of the run; remove "
            "the file: last.ckpt says it, too"
        ) from error
    return Course.read(turns, str(path))
