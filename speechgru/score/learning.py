"""What a run logged while it learned."""

import csv
from pathlib import Path


def read_learning_curves(run: Path) -> list[dict[str, float]]:
    """Read a run's metrics/ at the end of each epoch, over all resumptions.

    Args:
        run: the run folder.

    Returns:
        For each epoch, counted from 0, its "epoch" and what was logged:
        "train/loss", "val/loss", "val/wer" (a rate), "train/cpu_seconds", ...
        An epoch that was resumed within has the later values.
    """
    by_epoch: dict[int, dict[str, float]] = {}
    versions = sorted(
        run.glob("metrics/version_*/metrics.csv"),
        key=lambda path: int(path.parent.name.rpartition("_")[2]),
    )
    for path in versions:
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                if not row["epoch"]:
                    continue
                # Validation and training write a row each.
                values = {key: float(value) for key, value in row.items() if value}
                by_epoch.setdefault(int(row["epoch"]), {}).update(values)
    return [row for _, row in sorted(by_epoch.items())]
