"""A run that was not evaluated so far: what there is of it, and what is missing."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from speechgru.checkpoint.chosen import checkpoints_in
from speechgru.options.config_file import read_config_text
from speechgru.report.runs import Run, describe_run
from speechgru.report.watching.run_log import Sample, read_log
from speechgru.run_files import CONFIG_FILE, LOG_FILE
from speechgru.score.learning import find_best, read_learning_curves


@dataclass(frozen=True)
class Unscored:
    """What a run folder holds.

    Attributes:
        run: what was tried, and how far it is.
        best_epoch: of the lowest WER on dev, from 1; None: dev was never scored.
        checkpoints: names of those that are there, the best first.
        curves: PNG of the learning curves; None: nothing was logged so far.
        samples: the last ones in the log.
        logged_at: when something was last written to the log; None: never.
        config: YAML.
    """

    run: Run
    best_epoch: int | None
    checkpoints: tuple[str, ...]
    curves: bytes | None
    samples: tuple[Sample, ...]
    logged_at: str | None
    config: str

    def missing(self) -> Iterator[tuple[str, str]]:
        """What is not there, each with the command that makes it, or ""."""
        folder, run = self.run.folder, self.run
        if not self.checkpoints:
            yield "a checkpoint, which the end of the first epoch brings", ""
        else:
            what = "error rates on test, and utterances to listen to"
            yield what, f"speechgru evaluate {folder}"
            if self.best_epoch is not None:
                dev = "the same on what the run was validated on"
                yield dev, f"speechgru evaluate {folder} split=dev"
        if run.max_epochs is not None and run.epochs < run.max_epochs:
            left = f"{run.max_epochs - run.epochs} of {run.max_epochs} epochs"
            yield f"{left}, if it was stopped", f"speechgru train resume={folder}"


def is_unscored(path: Path) -> bool:
    """Whether a path is a run folder without results."""
    is_run = path.is_dir() and (path / CONFIG_FILE).is_file()
    return is_run and not any(path.glob("*.summary.json"))


def read_unscored(folder: Path) -> Unscored:
    """Read what a run folder holds, be it that it trains just now.

    Raises:
        InputError: a file is damaged.
    """
    from speechgru.score.curves import draw_curves  # loads matplotlib

    curves = read_learning_curves(folder)
    best = find_best(curves)
    log = folder / LOG_FILE
    try:
        samples = read_log(log).samples
    except OSError:  # none so far, or of no use
        samples = ()
    return Unscored(
        describe_run(folder),
        None if best is None else best[1],
        tuple(path.name for path in checkpoints_in(folder)),
        draw_curves(curves, str(folder)) if curves else None,
        samples,
        _say_time(log.stat().st_mtime) if log.is_file() else None,
        read_config_text(folder / CONFIG_FILE),
    )


def _say_time(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
