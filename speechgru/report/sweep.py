"""What became of the runs of a sweep, as its folder says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from speechgru.bounded import read_whole
from speechgru.files import printable, replace_file, to_json
from speechgru.interfaces import InputError
from speechgru.score.learning import read_learning_curves

RECORD = "sweep.json"
"""In the folder of a run of a sweep: what it is, and what became of it."""


@dataclass(frozen=True)
class SweptRun:
    """A run of a sweep.

    Attributes:
        number: counted from 0, also the name of its folder.
        overrides: values by the names of options, as the sweep gave them.
        score: the lowest on dev; None: it has not ended well, or was not validated.
        score_name: e.g. "val/wer"; None: there is no score.
        ended: whether it has ended well.
        error: why it failed; None: it did not.
    """

    number: int
    overrides: dict[str, str]
    score: float | None = None
    score_name: str | None = None
    ended: bool = False
    error: str | None = None

    @property
    def state(self) -> str:
        """Finished, failed, or unfinished: it runs, or was interrupted."""
        if self.ended:
            return "finished"
        return "unfinished" if self.error is None else "failed"

    def describe(self, keys: Sequence[str]) -> str:
        """Some of its overrides, as they are typed; all, if it has none of them."""
        chosen = [key for key in self.overrides if key in keys]
        pairs = (f"{key}={self.overrides[key]}" for key in chosen or self.overrides)
        return printable(" ".join(pairs))

    def write(self, folder: Path) -> None:
        """Keep it in the folder of the run."""
        replace_file(folder / RECORD, to_json(asdict(self), indent=1) + b"\n")

    def finish(
        self, score_name: str | None = None, score: float | None = None
    ) -> SweptRun:
        """The same run, after it has ended well; validated, if there is a score."""
        return replace(self, ended=True, error=None, score=score, score_name=score_name)

    def fail(self, error: str) -> SweptRun:
        """The same run, after it has failed."""
        return replace(self, error=error, ended=False)


def read_swept_run(folder: Path) -> SweptRun:
    """Read the record of a run.

    Raises:
        InputError: it is damaged.
    """
    path = folder / RECORD
    try:
        record: dict[str, Any] = json.loads(read_whole(path))
        run = SweptRun(**record)
        well = isinstance(run.number, int) and isinstance(run.overrides, dict)
        well &= isinstance(run.score, (int, float, type(None)))
        if not well:
            raise ValueError("other types")
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"{path}: not the record of a run of a sweep ({error!r}); remove the file "
            "to list the run alone"
        ) from error
    return run


def read_sweep(folder: Path) -> list[SweptRun]:
    """The runs of a sweep, by number; none if the folder is not that of a sweep.

    Raises:
        InputError: a record is damaged.
    """
    runs = [read_swept_run(path.parent) for path in folder.glob(f"*/{RECORD}")]
    return sorted(runs, key=lambda run: run.number)


def find_best(runs: Sequence[SweptRun]) -> SweptRun | None:
    """The run with the lowest score; None if none has one."""
    scored = [run for run in runs if run.ended and run.score is not None]
    return min(scored, key=lambda run: run.score or 0.0, default=None)


def find_swept(runs: Sequence[SweptRun]) -> list[str]:
    """Names of the options that are not the same in all runs."""
    keys = dict.fromkeys(key for run in runs for key in run.overrides)
    return [key for key in keys if len({run.overrides.get(key) for run in runs}) > 1]


def to_records(folder: Path, runs: Sequence[SweptRun]) -> list[dict[str, Any]]:
    """Plain values, for JSON."""
    best = find_best(runs)
    return [
        {
            "run": str(folder / str(run.number)),
            "state": run.state,
            "epochs": len(read_learning_curves(folder / str(run.number))),
            "best": run is best,
            **asdict(run),
        }
        for run in runs
    ]
