"""The options of `speechgru watch`."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from speechgru.options.fields import Options, option
from speechgru.ranges import SECONDS


@dataclass(frozen=True, kw_only=True)
class WatchOptions(Options):
    """How a run is watched.

    Attributes:
        runs_dir: of the newest run, where none is named.
        every: s between two looks.
        page: an .html file, written anew at each look; None: the terminal only.
        once: look once, and end.
    """

    name: ClassVar[str] = "watch"
    is_command: ClassVar[bool] = True

    runs_dir: Path = Path("runs")
    every: float = option(5.0, within=SECONDS)
    page: Path | None = None
    once: bool = False
