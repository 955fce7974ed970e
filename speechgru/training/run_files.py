"""A run, and the names of the files in its folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from speechgru.checkpoint.chosen import BEST as BEST
from speechgru.checkpoint.chosen import LAST as LAST

CONFIG_FILE = "config.yaml"
CURVES = "curves.png"
LOCK_FILE = ".lock"
LOG_FILE = "train.log"
SKIPPED_FILE = "skipped.jsonl"
START_FILE = "start.json"
"""How the run was started: its command line and working directory."""
TRACE = "trace.json"
"""Of a step; https://ui.perfetto.dev shows it."""


@dataclass(frozen=True)
class Run:
    """What a run is, beside its configuration.

    Attributes:
        folder: of the run.
        recipe: name, for the checkpoint's metadata.
        last: description in the checkpoint to resume from, if it is resumed.
        is_first: whether this is the first of its processes.
    """

    folder: Path
    recipe: str | None
    last: dict[str, Any] | None
    is_first: bool
