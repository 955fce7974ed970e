"""A run, and the names of the files in its folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from speechgru.training.length import Length

from speechgru.checkpoint.chosen import BEST as BEST
from speechgru.checkpoint.chosen import LAST as LAST

CONFIG_FILE = "config.yaml"
CURVES = "curves.png"
LENGTH_FILE = "length.json"
"""Where the end of the schedule was, and each time that it was moved."""
LOCK_FILE = ".lock"
LOG_FILE = "train.log"
SKIPPED_FILE = "skipped.jsonl"
START_FILE = "start.json"
"""How the run was started: its command line and working directory."""
WAS = "was"
"""In the configuration: options as they were before the run went on with others."""
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
        length: how many steps it has.
    """

    folder: Path
    recipe: str | None
    last: dict[str, Any] | None
    is_first: bool
    length: "Length"
