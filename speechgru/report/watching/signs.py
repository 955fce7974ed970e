"""What is unusual about a run, as far as its folder shows it."""

import math
from collections.abc import Callable, Sequence
from statistics import median

from speechgru.progress import say_duration
from speechgru.report.watching.state import RunState

LONG_SILENCE = 900.0  # s; the log says something every 10 minutes at least
PATIENCE = 5  # epochs
STEEP = 10.0  # a gradient norm over the median of those before
RISE = 1.02  # of a loss, against its lowest


def find_signs(state: RunState) -> list[str]:
    """What to look at: warnings and advice of the log, and what the numbers show.

    What a run says by itself stands in its log: that the loss stays where it began,
    that train is learnt by heart, or that steps are half empty.
    """
    said = [f"{each.at:%d %b %H:%M}: {each.text}" for each in state.log.signs]
    found = [find(state) for find in _SIGNS]
    return [*state.problems, *said, *filter(None, found)]


def _silence(state: RunState) -> str | None:
    if not state.is_running or state.silent < LONG_SILENCE:
        return None
    return (
        f"nothing was written for {say_duration(state.silent)}: a very long step, or "
        "the process hangs"
    )


def _left_out(state: RunState) -> str | None:
    if not state.num_skipped:
        return None
    return (
        f"{state.num_skipped} utterances were left out; skipped.jsonl says which, and "
        "why"
    )


def _ended_early(state: RunState) -> str | None:
    if state.is_running or state.is_done or not state.log.lines:
        return None
    if state.log.was_saved:
        return "the run was ended by a signal before it was done; it can be resumed"
    return (
        "the run has ended before it was done, and its log does not say why: an error "
        "on its terminal, early stopping, or a kill"
    )


def _gradients(state: RunState) -> str | None:
    norms = [
        row["train/gradient_norm"]
        for row in state.steps
        if "train/gradient_norm" in row
    ]
    wild = sum(not math.isfinite(norm) for norm in norms)
    if wild:
        return (
            f"{wild} of the last {len(norms)} logged steps had a gradient norm that is "
            "not finite: float16 skips such steps; trainer.precision=bf16-mixed has "
            "none"
        )
    if len(norms) < 20:
        return None
    usual = median(norms[:-5])
    # One of them alone is an unusual batch.
    if usual > 0 and min(norms[-3:]) > STEEP * usual:
        return (
            f"the gradient norm is {norms[-1]:.3g}, and was {usual:.3g} before "
            "(median): a lower task.learning_rate may be needed"
        )
    return None


def _train_loss(state: RunState) -> str | None:
    loss = _find(state, "train/loss_per_token", "train/loss")
    best = _best(loss)
    if best is None or loss[-1][0] - best[0] < PATIENCE:
        return None
    return (
        f"the loss of train was lowest in epoch {best[0]} ({best[1]:.3g}), and is "
        f"{loss[-1][1]:.3g} now: it does not fall"
    )


def _dev_loss(state: RunState) -> str | None:
    dev = _find(state, "val/loss_per_token", "val/loss")
    train = _find(state, "train/loss_per_token", "train/loss")
    best = _best(dev)
    if best is None or dev[-1][0] - best[0] < PATIENCE or dev[-1][1] < RISE * best[1]:
        return None
    then = dict(train).get(best[0])
    if then is None or train[-1][1] >= then:
        return None
    return (
        f"the loss of dev was lowest in epoch {best[0]} ({best[1]:.3g}), and is "
        f"{dev[-1][1]:.3g} now, while that of train has fallen from {then:.3g} to "
        f"{train[-1][1]:.3g}; what counts is whether the error rate still falls"
    )


_SIGNS: Sequence[Callable[[RunState], str | None]] = (
    _silence,
    _ended_early,
    _gradients,
    _train_loss,
    _dev_loss,
    _left_out,
)


def _find(state: RunState, *names: str) -> list[tuple[int, float]]:
    """(epoch, counted from 1; value) of the first name that was logged."""
    for name in names:
        points = [
            (int(row["epoch"]) + 1, row[name])
            for row in state.curves
            if name in row and math.isfinite(row[name])
        ]
        if points:
            return points
    return []


def _best(points: Sequence[tuple[int, float]]) -> tuple[int, float] | None:
    return min(points, key=lambda point: point[1], default=None)
