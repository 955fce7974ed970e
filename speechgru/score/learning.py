"""What a run logged while it learned."""

import csv
import math
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from speechgru.bounded import read_whole
from speechgru.interfaces import InputError

MOST_BYTES = 256 << 20
"""Of a file: some million logged steps."""


def read_learning_curves(run: Path) -> list[dict[str, float]]:
    """Read a run's metrics/ at the end of each epoch, over all resumptions.

    Args:
        run: the run folder.

    Returns:
        For each epoch, counted from 0, its "epoch" and what was logged:
        "train/loss", "val/loss", "val/wer" (a rate), "train/cpu_seconds", ...
        An epoch that was resumed within has the later values. A last line
        without its end is still being written, or was when the run was
        stopped; it is left out.

    Raises:
        InputError: something else is damaged.
    """
    by_epoch: dict[int, dict[str, float]] = {}
    for row in _read_rows(run):
        # Validation and training write a row each.
        by_epoch.setdefault(int(row["epoch"]), {}).update(row)
    return [row for _, row in sorted(by_epoch.items())]


def read_steps(run: Path, most: int) -> list[dict[str, float]]:
    """Read what a run logged of its last steps; see `read_learning_curves`.

    Args:
        run: the run folder.
        most: rows.

    Returns:
        Of each of those steps its "step", counted from 0, "train/step_loss",
        "train/gradient_norm", ...
    """
    steps = (row for row in _read_rows(run) if "train/step_loss" in row)
    return [*deque(steps, maxlen=most)]


def find_best(curves: Sequence[Mapping[str, float]]) -> tuple[float, int] | None:
    """The lowest WER on dev, as a rate, and its epoch, counted from 1.

    Args:
        curves: as `read_learning_curves` gives them.

    Returns:
        None: dev was never scored.
    """
    scored = [
        (row["val/wer"], int(row["epoch"]) + 1)
        for row in curves
        if not math.isnan(row.get("val/wer", math.nan))
    ]
    return min(scored, default=None)


def find_last(curves: Sequence[Mapping[str, float]], name: str) -> float | None:
    """What was logged last under a name, e.g. "train/cpu_seconds"; None: never."""
    return next((row[name] for row in reversed(curves) if name in row), None)


def _read_rows(run: Path) -> Iterator[dict[str, float]]:
    # Others lie there by somebody's hand, as copies do.
    numbers = {
        path: int(match[1])
        for path in run.glob("metrics/version_*/metrics.csv")
        if (match := re.fullmatch(r"version_(\d+)", path.parent.name))
    }
    for path in sorted(numbers, key=lambda path: numbers[path]):
        try:
            text = read_whole(path, MOST_BYTES).decode()
            lines = text.splitlines(keepends=True)
            for row in csv.DictReader(line for line in lines if line.endswith("\n")):
                if row["epoch"]:
                    int(row["epoch"])
                    yield {key: float(value) for key, value in row.items() if value}
        except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
            raise InputError(
                f"{path}: not what a run logs ({error!r}); remove the file to go on "
                "without these epochs"
            ) from error
