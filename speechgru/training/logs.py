"""Where a run's log goes."""

import contextlib
import logging
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from speechgru.interfaces import InputError
from speechgru.progress import without_bars
from speechgru.run_files import LOG_FILE
from speechgru.terminal import without_controls

EXPECTED_WARNINGS = (
    # The plan skips what is done; see SpeechDataModule.train_dataloader.
    ".*your dataloader is not resumable.*",
    # Loading a few utterances costs less than handing them over.
    ".*does not have many workers.*",
    # Of no use to our users, and not ours to mend.
    ".*LeafSpec.*",
    ".*smaller than the logging interval.*",
)


class ScreenHandler(logging.StreamHandler):
    """Log where a bar may be."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line in front of the bar."""
        with without_bars():
            super().emit(record)


class HarmlessFormatter(logging.Formatter):
    """What is logged may hold names and texts of strangers."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, fit for a terminal."""
        return without_controls(super().format(record))


@contextlib.contextmanager
def logging_to(folder: Path, first: bool) -> Iterator[None]:
    """Log to standard error and to the run folder; other processes warn only.

    Raises:
        InputError: the folder's train.log is a link, or no file.
    """
    root = logging.getLogger()
    screen = ScreenHandler(sys.stderr)
    screen.setFormatter(HarmlessFormatter("%(message)s"))
    handlers: list[logging.Handler] = [screen]
    if first:
        path = folder / LOG_FILE
        # A stranger's run folder could have it lead to any file of the user's.
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise InputError(f"{path}: is a link or no file, expected a log; remove it")
        file = logging.FileHandler(path, encoding="utf-8")
        file.setFormatter(HarmlessFormatter("%(asctime)s %(levelname)s %(message)s"))
        handlers.append(file)
    before = root.level
    root.setLevel(logging.INFO if first else logging.WARNING)
    for handler in handlers:
        root.addHandler(handler)
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    try:
        with warnings.catch_warnings():
            for message in EXPECTED_WARNINGS:
                warnings.filterwarnings("ignore", message)
            yield
    finally:
        logging.captureWarnings(False)
        root.setLevel(before)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
