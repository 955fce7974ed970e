"""How many steps fit into the time that a run may take."""

from dataclasses import dataclass

AIM = 0.98
"""Share of the time that is planned for; what comes behind the last epoch is not
measured."""

EARLIEST, LATEST = 0.95, 1.01
"""Shares of the time: a run that would end before or behind them is planned anew."""

TAIL = 0.02
"""Share of the time that is left unused, for a whole number of epochs."""


@dataclass(frozen=True)
class Costs:
    """What training takes, in s.

    Attributes:
        step: an optimiser step.
        between: what lies between the last step of an epoch and the first of the next:
            validation and saving.
    """

    step: float
    between: float


@dataclass(frozen=True)
class Position:
    """Where a run is.

    Attributes:
        step: of the run, how many are done.
        within: of the epoch, how many are done.
        steps_per_epoch: optimiser steps.
    """

    step: int
    within: int
    steps_per_epoch: int


def seconds_until(num_steps: int, at: Position, costs: Costs) -> float:
    """How long a run still takes that ends with a step, in s."""
    left = num_steps - at.step
    if left <= 0:
        return 0.0
    epochs = -(-(at.within + left) // at.steps_per_epoch)
    return left * costs.step + epochs * costs.between


def fit_steps(seconds: float, whole: float, at: Position, costs: Costs) -> int:
    """Optimiser steps of the whole run, so that it ends within some time.

    It ends with an epoch where that leaves little of the time unused. Behind the last
    step there is always validation.

    Args:
        seconds: that are left.
        whole: s that the run may take in all.
        at: where the run is. Within an epoch it takes one more step at least.
        costs: of what is to come.
    """
    first = at.steps_per_epoch - at.within
    first_seconds = first * costs.step + costs.between
    if first_seconds > seconds:
        fitting = int((seconds - costs.between) / costs.step)
        return at.step + max(1 if at.within else 0, fitting)
    epoch_seconds = at.steps_per_epoch * costs.step + costs.between
    epochs = int((seconds - first_seconds) / epoch_seconds)
    rest = seconds - first_seconds - epochs * epoch_seconds
    num_steps = at.step + first + epochs * at.steps_per_epoch
    if rest <= TAIL * whole:
        return num_steps
    return num_steps + max(0, int((rest - costs.between) / costs.step))


def plan(
    gone: float, whole: float, num_steps: int | None, at: Position, costs: Costs
) -> int | None:
    """Of how many optimiser steps a run should be; None: as it is.

    Args:
        gone: s that it has taken.
        whole: s that it may take in all.
        num_steps: of the run so far; None: that is not known yet.
        at: where the run is.
        costs: of what is to come.
    """
    if num_steps is not None:
        end = gone + seconds_until(num_steps, at, costs)
        if EARLIEST * whole <= end <= LATEST * whole:
            return None
    planned = fit_steps(AIM * whole - gone, whole, at, costs)
    return None if planned == num_steps else planned
