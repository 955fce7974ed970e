"""What the learning curves of a run are: its panels, lines and their axes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from speechgru.score.axes import Axis, amounts, can_be_drawn, counts


@dataclass(frozen=True)
class Line:
    """A curve.

    Attributes:
        name: what it is of, e.g. "dev".
        color: which one, as pictures and pages have it; lines of a panel differ in it.
        points: (epoch, counted from 1; value), in order.
    """

    name: str
    color: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Panel:
    """Curves that share their axes.

    Attributes:
        title: what is shown, with its unit.
        lines: at least one, each with a point.
        x: of the epochs.
        y: of the values.
    """

    title: str
    lines: tuple[Line, ...]
    x: Axis
    y: Axis


MOST_EPOCHS = 1e9
"""What is larger is damaged."""

RATE = "learning rate, at the epoch's end"

_ALTERNATIVES = (
    (
        (
            "error rate on dev (%)",
            100.0,
            (("val/wer", "words", "dev"), ("val/cer", "characters", "other")),
        ),
    ),
    (
        (
            "loss (nats per token)",
            1.0,
            (
                ("train/loss_per_token", "train", "train"),
                ("val/loss_per_token", "dev", "dev"),
            ),
        ),
        (
            "loss",
            1.0,
            (("train/loss", "train", "train"), ("val/loss", "dev", "dev")),
        ),
    ),
    (
        (
            RATE,
            1.0,
            (("train/learning_rate", "learning rate", "other"),),
        ),
    ),
)
"""Of each panel: the first is taken whose first line there are numbers for."""


def make_panels(curves: Sequence[Mapping[str, float]]) -> list[Panel]:
    """Choose what to draw of a run.

    Args:
        curves: as `read_learning_curves` gives them.

    Returns:
        Panels that have a point; what is not a finite number is left out.
    """
    panels = []
    for alternatives in _ALTERNATIVES:
        for title, scale, lines in alternatives:
            found = [
                Line(name, color, points)
                for key, name, color in lines
                if (points := _points(curves, key, scale))
            ]
            if found:
                all_points = [point for line in found for point in line.points]
                x = counts([epoch for epoch, _ in all_points])
                values = [value for _, value in all_points]
                # A schedule ends near 0, which would take most of the axis.
                y = amounts(values, may_be_log=title != RATE)
                panels.append(Panel(title, tuple(found), x, y))
                break
    return panels


def _points(
    curves: Sequence[Mapping[str, float]], key: str, scale: float
) -> tuple[tuple[float, float], ...]:
    return tuple(
        (row["epoch"] + 1, scale * row[key])
        for row in curves
        if key in row and can_be_drawn(row[key]) and 0 <= row["epoch"] < MOST_EPOCHS
    )
