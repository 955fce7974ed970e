"""Looking at a run until it ends."""

import time
from collections.abc import Callable
from pathlib import Path

from speechgru.interfaces import InputError
from speechgru.ranges import OptionError
from speechgru.report.watching.state import RunReader, RunState
from speechgru.run_files import CONFIG_FILE, LOG_FILE


def follow(
    folder: Path,
    every: float,
    show: Callable[[RunState], None],
    sleep: Callable[[float], None] = time.sleep,
) -> RunState:
    """Show a run every few seconds, and once more when it has ended.

    Args:
        folder: of the run; nothing in it is written or locked.
        every: s between two looks.
        show: takes what there is to show.
        sleep: waits.

    Returns:
        The last that was shown.

    Raises:
        InputError: it is no run folder.
    """
    check_folder(folder)
    reader = RunReader(folder)
    while True:
        state = reader.read()
        show(state)
        if not state.is_running:
            return state
        sleep(every)


def check_folder(folder: Path) -> None:
    """Raise InputError if a folder holds no run."""
    if not (folder / CONFIG_FILE).is_file():
        found = "is no folder" if not folder.is_dir() else "has no config.yaml"
        raise InputError(
            f"{folder}: {found}, expected the folder of a run; speechgru runs lists "
            "those below runs_dir"
        )


def check_page(page: Path) -> None:
    """Raise OptionError if a page could take the place of something else."""
    if page.suffix.lower() not in (".html", ".htm"):
        raise OptionError(
            f"page is {page}, expected a name that ends in .html: the file is written "
            "over every few seconds"
        )


def find_newest(runs_dir: Path) -> Path:
    """The run that was written to last.

    Raises:
        InputError: there is none.
    """
    folders = (path.parent for path in runs_dir.rglob(CONFIG_FILE))
    runs = (folder for folder in folders if (folder / LOG_FILE).is_file())
    newest = max(
        runs, key=lambda run: (run / LOG_FILE).stat().st_mtime_ns, default=None
    )
    if newest is None:
        raise InputError(
            f"{runs_dir}: holds no runs, expected one to watch; name its folder, or "
            "set runs_dir=FOLDER"
        )
    return newest
