"""The table of a sweep."""

from collections.abc import Sequence
from pathlib import Path

from speechgru.files import printable
from speechgru.report.sweep import SweptRun, find_best, find_swept
from speechgru.score.learning import read_learning_curves
from speechgru.score.summary import percent


def format_sweep(folder: Path, runs: Sequence[SweptRun]) -> str:
    """A line for each run: swept options, epochs, dev score, and what became of it."""
    swept, best = find_swept(runs), find_best(runs)
    names = dict.fromkeys(run.score_name for run in runs if run.score_name)
    score_name = " ".join(name.rpartition("/")[2] for name in names) or "score"
    rows = [["run", *swept, "epochs", f"dev {score_name}", ""]]
    for run in runs:
        # A run without metrics does not say.
        epochs = len(read_learning_curves(folder / str(run.number))) or "-"
        remark = "best" if run is best else "" if run.ended else run.state
        if run.error is not None:
            remark += f": {run.error.splitlines()[0] if run.error else ''}"
        values = [run.overrides.get(key, "-") for key in swept]
        cells = [str(run.number), *values, str(epochs), show_score(run), remark]
        rows.append([printable(cell) for cell in cells])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    title = f"sweep {printable(str(folder))}: {len(runs)} runs"
    return "\n".join([title, *(line.rstrip() for line in lines)])


def show_score(run: SweptRun) -> str:
    """An error rate in percent, or a loss."""
    if run.score is None:
        return "-"
    is_loss = (run.score_name or "").endswith("loss")
    return f"{run.score:.4f}" if is_loss else percent(run.score)
