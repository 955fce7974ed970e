"""What a run logged while it learned."""

import csv
from pathlib import Path

from speechgru.bounded import read_whole
from speechgru.interfaces import InputError


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
    versions = sorted(
        run.glob("metrics/version_*/metrics.csv"),
        key=lambda path: int(path.parent.name.rpartition("_")[2]),
    )
    for path in versions:
        try:
            text = read_whole(path).decode()
            lines = text.splitlines(keepends=True)
            for row in csv.DictReader(line for line in lines if line.endswith("\n")):
                if not row["epoch"]:
                    continue
                # Validation and training write a row each.
                values = {key: float(value) for key, value in row.items() if value}
                by_epoch.setdefault(int(row["epoch"]), {}).update(values)
        except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
            raise InputError(
                f"{path}: not what a run logs ({error!r}); remove the file to go on "
                "without these epochs"
            ) from error
    return [row for _, row in sorted(by_epoch.items())]
