"""All that a run folder says of its run at a moment."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from speechgru.bounded import open_file
from speechgru.files import file_state, reason
from speechgru.interfaces import InputError
from speechgru.options.component import flatten
from speechgru.options.config_file import read_config
from speechgru.report.watching.lock import read_owner
from speechgru.report.watching.run_log import RunLog, parse_log, read_log
from speechgru.run_files import CONFIG_FILE, LOG_FILE, SKIPPED_FILE
from speechgru.score.learning import read_learning_curves, read_steps

NUM_STEPS = 200
"""Logged steps that are looked at: the last ones."""

MOST_LISTED = 64 << 20
"""Bytes of a list of utterances that is read to see how many there are."""


_Numbers = tuple[list[dict[str, float]], list[dict[str, float]]]


@dataclass(frozen=True)
class RunState:
    """A run at a moment.

    Attributes:
        folder: of the run.
        owner: of the process that trains, as `read_owner` gives it; None: nobody does.
        config: values by the full names of options; empty: not known.
        log: what it said.
        curves: of each epoch; see `read_learning_curves`.
        steps: the last ones that were logged; see `read_steps`.
        silent: s since it has written anything.
        problems: why files could not be read.
        num_skipped: utterances that were left out.
    """

    folder: Path
    owner: Mapping[str, Any] | None
    config: Mapping[str, Any]
    log: RunLog
    curves: list[dict[str, float]]
    steps: list[dict[str, float]]
    silent: float
    problems: tuple[str, ...]
    num_skipped: int

    @property
    def is_running(self) -> bool:
        """Whether somebody trains."""
        return self.owner is not None

    @property
    def is_done(self) -> bool:
        """Whether all that was wanted is done."""
        return not self.is_running and self.log.epochs_done == self.log.num_epochs

    @property
    def seconds_left(self) -> float | None:
        """s until the run is done, as it told last; None: it has not."""
        if self.log.seconds_left is None or not self.is_running:
            return None
        return max(0.0, self.log.seconds_left - self.silent)


@dataclass
class RunReader:
    """Reads a run folder again and again, and never writes to it.

    Attributes:
        folder: of the run.
    """

    folder: Path
    _numbers: tuple[list[tuple[int, int]], _Numbers] | None = field(
        default=None, init=False
    )
    _num_skipped: int | None = field(default=None, init=False)

    def read(self) -> RunState:
        """The run as it is now; what cannot be read is told in it."""
        owner = read_owner(self.folder)  # first: what it wrote last is read below
        problems: list[str] = []
        try:
            config = flatten(read_config(self.folder / CONFIG_FILE))
        except InputError as error:
            config = {}
            problems.append(str(error))
        try:
            log = read_log(self.folder / LOG_FILE)
        except OSError as error:
            log = parse_log([])
            problems.append(f"{self.folder / LOG_FILE}: {reason(error)}")
        try:
            curves, steps = self._read_numbers()
        except InputError as error:
            curves, steps = [], []
            problems.append(str(error))
        if self._num_skipped is None or not log.steps_per_epoch:
            # Written before the first step, and not again.
            self._num_skipped = _count_skipped(self.folder)
        return RunState(
            self.folder,
            owner,
            config,
            log,
            curves,
            steps,
            self._silence(),
            tuple(problems),
            self._num_skipped,
        )

    def _read_numbers(self) -> _Numbers:
        """Curves and steps, read only when there are new ones."""
        files = sorted(self.folder.glob("metrics/*/metrics.csv"))
        states = [file_state(path) for path in files if path.is_file()]
        if self._numbers is None or self._numbers[0] != states:
            curves = read_learning_curves(self.folder)
            self._numbers = states, (curves, read_steps(self.folder, NUM_STEPS))
        return self._numbers[1]

    def _silence(self) -> float:
        written = [self.folder / LOG_FILE, *self.folder.glob("metrics/*/metrics.csv")]
        times = [path.stat().st_mtime for path in written if path.is_file()]
        return max(0.0, time.time() - max(times, default=time.time()))


def _count_skipped(folder: Path) -> int:
    try:
        with open_file(folder / SKIPPED_FILE) as file:
            return file.read(MOST_LISTED).count(b"\n")
    except OSError:
        return 0
