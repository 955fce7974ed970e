"""Where a run heads for: the end of its schedule, and each time that it was moved."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal, get_args

from speechgru.interfaces import InputError
from speechgru.ranges import PROBABILITY, Range, whole

MEASURED_STEPS = 20
"""Steps that are measured before the length of a run with a budget is fixed."""

MEASURING_SHARE = 0.1
"""Of the rise to the peak, which a run goes along while it is measured."""

MOST_TURNS = 1000
"""Of a run; its file may be a stranger's."""

Reason = Literal["begun", "measured", "corrected", "asked"]
Schedule = Callable[[float, float], float]

_NUMBERS: dict[str, Range] = {
    "step": whole(0, 10**12),
    "num_steps": whole(1, 10**18),
    "progress": PROBABILITY,
}


@dataclass(frozen=True)
class Turn:
    """From a step on, a run heads for another end.

    Attributes:
        step: how many were done before it.
        num_steps: of the run, from now on.
        progress: of the schedule that is behind at that step; the rest of it is spread
            over the steps that are left.
        reason: "begun": so it was planned; "measured": the first steps told how many
            fit; "corrected": later ones did; "asked": the user has changed it.
        max_time: s of training that it was chosen for; None: it was not for a time.
    """

    step: int
    num_steps: int
    progress: float
    reason: Reason
    max_time: float | None = None


@dataclass(frozen=True)
class Course:
    """The turns of a run, in order: they alone decide the learning rate of every step.

    A run that goes on from an earlier checkpoint takes the later turns where they were
    taken. Before the first turn nobody knows where the schedule ends: the rate goes
    along a share of its rise.
    """

    turns: tuple[Turn, ...] = ()

    @property
    def num_steps(self) -> int | None:
        """Of the run; None: that is not known yet."""
        return self.turns[-1].num_steps if self.turns else None

    def turned(self, turn: Turn) -> "Course":
        """With another turn; what was to come behind it comes no more."""
        before = (each for each in self.turns if each.step < turn.step)
        return Course((*before, turn))

    def begun(self, num_steps: int) -> "Course":
        """As a run of so many steps is planned."""
        return self.turned(Turn(0, num_steps, 0.0, "begun"))

    def stretched(
        self, step: int, num_steps: int, reason: Reason, max_time: float | None = None
    ) -> "Course":
        """Go on, behind some steps, along the schedule of a run of another length."""
        progress = min(1.0, step / num_steps)
        return self.turned(Turn(step, num_steps, progress, reason, max_time))

    def bent(self, step: int, num_steps: int, max_time: float | None) -> "Course":
        """Go on from where the schedule is, faster or slower."""
        progress = min(1.0, self.progress(step - 1))
        return self.turned(Turn(step, num_steps, progress, "corrected", max_time))

    def ended_at(self, num_steps: int) -> bool:
        """Whether the run had come to its end behind so many steps, and went on."""
        pairs = pairwise(self.turns)
        return any(before.num_steps == num_steps == turn.step for before, turn in pairs)

    def progress(self, step: int) -> float:
        """Share of the schedule that is behind when a step is done, from 0 to 1.

        Args:
            step: of the run, counted from 0, not before the first turn.
        """
        return _progress(self._turns_until(step)[-1], step)

    def factor(self, step: int, schedule: Schedule, warmup: float) -> float:
        """The learning rate of a step, as a factor of its peak.

        Where the user has lengthened a run whose rate had fallen, it rises along a
        line to that of the longer schedule, over the share `warmup` of the steps that
        are left: a jump would undo more than it teaches.

        Args:
            step: of the run, counted from 0.
            schedule: factors by progress and warmup.
            warmup: share of all steps until the peak.

        Source:
            Warming up again behind a schedule's end: arXiv:2403.08763. To the height of
            the longer schedule, not to the peak, is our own choice: what is added a
            little shall change little.
        """
        turns = self._turns_until(step)
        factor = _measuring_factor(
            turns[0].step - 1 if turns else step, schedule, warmup
        )
        for index, turn in enumerate(turns):
            is_last = index == len(turns) - 1
            at = step if is_last else turns[index + 1].step - 1
            rise = _rise(turn, factor, schedule, warmup)
            target = schedule(_progress(turn, at), warmup)
            done = at + 1 - turn.step
            if done < rise:
                target = factor + (target - factor) * done / rise
            factor = target
        return factor

    def rise(self, schedule: Schedule, warmup: float) -> int:
        """Over how many steps the rate rises behind the last turn; 0: it does not."""
        if not self.turns:
            return 0
        turn = self.turns[-1]
        before = self.factor(turn.step - 1, schedule, warmup)
        return _rise(turn, before, schedule, warmup)

    def _turns_until(self, step: int) -> tuple[Turn, ...]:
        return tuple(turn for turn in self.turns if turn.step <= step)

    def to_plain(self) -> list[dict[str, Any]]:
        """As `read` takes it."""
        return [asdict(turn) for turn in self.turns]

    @classmethod
    def read(cls, turns: Any, name: str) -> "Course":
        """Check what a file holds.

        Args:
            turns: plain values.
            name: of the file, for messages.

        Raises:
            InputError: it is not the course of a run.
        """
        if not isinstance(turns, Sequence) or isinstance(turns, str):
            turns = [turns]
        if len(turns) > MOST_TURNS or not all(map(_is_turn, turns)):
            raise InputError(
                f"{name}: does not say how long the run is, expected turns with step, "
                "num_steps, progress, reason and max_time; bring the file back, or "
                "begin anew with init_from"
            )
        read = [Turn(**turn) for turn in turns]
        steps = [turn.step for turn in read]
        if steps != sorted(set(steps)):
            raise InputError(
                f"{name}: turns at steps {steps[:10]}, expected later ones behind "
                "earlier ones; bring the file back, or begin anew with init_from"
            )
        return cls(tuple(read))


def _measuring_factor(step: int, schedule: Schedule, warmup: float) -> float:
    """Of a step of which nobody knew yet where the schedule would end."""
    share = min(1.0, (step + 1) / MEASURED_STEPS)
    return schedule(warmup * MEASURING_SHARE * share, warmup)


def _rise(turn: Turn, before: float, schedule: Schedule, warmup: float) -> int:
    """Over how many steps the rate rises behind a turn, from the factor before it."""
    if turn.reason != "asked" or not turn.step:
        return 0
    if schedule(turn.progress, warmup) <= before:
        return 0
    return math.ceil(warmup * (turn.num_steps - turn.step))


def _progress(turn: Turn, step: int) -> float:
    left = turn.num_steps - turn.step
    if left <= 0:
        return 1.0
    # Of a whole run exactly (step + 1) / num_steps.
    return turn.progress + (1 - turn.progress) * (step + 1 - turn.step) / left


def _is_turn(turn: Any) -> bool:
    if not isinstance(turn, Mapping) or set(turn) != set(Turn.__dataclass_fields__):
        return False
    max_time = turn["max_time"]
    return (
        all(turn[key] in within for key, within in _NUMBERS.items())
        and turn["reason"] in get_args(Reason)
        and (max_time is None or max_time in Range(0, 1e12, above=True))
    )
