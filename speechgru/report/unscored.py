"""A run that was not evaluated so far: what there is of it, and what is missing."""

import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from speechgru.bounded import read_whole
from speechgru.checkpoint.chosen import checkpoints_in
from speechgru.options.config_file import read_config_text
from speechgru.report.runs import Run, describe_run
from speechgru.run_files import CONFIG_FILE, LOG_FILE
from speechgru.score.learning import read_learning_curves

MOST_LOG = 64 << 20
"""Bytes of a log that is read."""

_SAMPLE = re.compile(r" INFO   (\S+): (.*) \| heard: (.*)$", re.MULTILINE)
_EPOCH = re.compile(r" INFO epoch \d+/\d+: ")


@dataclass(frozen=True)
class Unscored:
    """What a run folder holds.

    Attributes:
        run: what was tried, and how far it is.
        best_epoch: of the lowest WER on dev, from 1; None: dev was never scored.
        checkpoints: names of those that are there, the best first.
        curves: PNG of the learning curves; None: nothing was logged so far.
        samples: (id, text, what was heard) of the last ones in the log.
        logged_at: when something was last written to the log; None: never.
        config: YAML.
    """

    run: Run
    best_epoch: int | None
    checkpoints: tuple[str, ...]
    curves: bytes | None
    samples: tuple[tuple[str, str, str], ...]
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
    by_wer = [
        (row["val/wer"], int(row["epoch"]) + 1)
        for row in curves
        if math.isfinite(row.get("val/wer", math.nan))
    ]
    log = folder / LOG_FILE
    return Unscored(
        describe_run(folder),
        min(by_wer)[1] if by_wer else None,
        tuple(path.name for path in checkpoints_in(folder)),
        draw_curves(curves, str(folder)) if curves else None,
        tuple(_last_samples(log)),
        _say_time(log.stat().st_mtime) if log.is_file() else None,
        read_config_text(folder / CONFIG_FILE),
    )


def _last_samples(log: Path) -> list[tuple[str, str, str]]:
    """Those behind the last epoch that shows some."""
    try:
        text = read_whole(log, MOST_LOG).decode(errors="replace")
    except (OSError, ValueError):  # none so far, or of no use
        return []
    blocks = [_SAMPLE.findall(block) for block in _EPOCH.split(text)]
    return next((block for block in reversed(blocks) if block), [])


def _say_time(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
