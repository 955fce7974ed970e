"""A run, as its folder tells of it: the folder may be a stranger's."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from speechgru.checkpoint.chosen import checkpoints_in
from speechgru.files import printable
from speechgru.interfaces import InputError
from speechgru.options.component import TARGET, Component
from speechgru.options.training import TrainOptions
from speechgru.ranges import OptionError, nearest
from speechgru.run_files import CONFIG_FILE
from speechgru.training.run_folder import read_directory
from speechgru.training.stored import read_stored

PATHS = (
    *("root", "folder", "train", "dev", "test"),
    *("archive", "audio_folder", "manifest"),
)
"""Options of corpora that are paths; others are, if they lead somewhere."""


@dataclass(frozen=True)
class Changes:
    """What of a run's corpus is otherwise than it was.

    Attributes:
        options: of the corpus, by their names; those within others joined by dots.
        data_dir: where corpora lie now; None: where they did.
    """

    options: Mapping[str, Any]
    data_dir: Path | None = None


UNCHANGED = Changes({})


def find_run(path: str | Path) -> Path | None:
    """The run folder that a path is, or that a checkpoint lies in, if it is one."""
    path = Path(path)
    folder = path if path.is_dir() else path.parent
    is_meant = path.is_dir() or path.suffix == ".ckpt"
    return folder if is_meant and (folder / CONFIG_FILE).is_file() else None


@dataclass(frozen=True)
class KnownRun:
    """A run and its options.

    Attributes:
        folder: of the run.
        options: that it was told, as they were written.
        corpus: its corpus, at paths that are right from here.
    """

    folder: Path
    options: TrainOptions
    corpus: Component

    @classmethod
    def read(
        cls, folder: Path, trust: Sequence[str] = (), changes: Changes = UNCHANGED
    ) -> "KnownRun":
        """Read a run.

        Args:
            folder: of the run.
            trust: modules of the user's own, from the command line; those that the
                folder trusts do not count.
            changes: of its corpus.

        Raises:
            InputError: the folder does not hold what a run writes.
            OptionError: the corpus has no such option.
        """
        options, _ = read_stored(folder, trust)
        plain = options.corpus.to_plain()
        if changes.data_dir is not None:
            plain = _move(plain, str(options.data_dir), str(changes.data_dir))
        there = read_directory(folder)
        # What lies in a data_dir of now counts from here.
        if there is not None and there != os.getcwd():
            moved = None if changes.data_dir is None else str(changes.data_dir)
            plain = _count_from(plain, there, moved)
        for name, value in changes.options.items():
            _change(plain, name, value)
        return cls(folder, options, Component.read(plain, "corpus"))

    @property
    def fold(self) -> str | None:
        """The fold whose speakers it has held out, e.g. "1/4"; None: it has none."""
        fold = self.options.data.fold
        return None if fold == "all" else fold

    @property
    def checkpoint(self) -> Path | None:
        """The best checkpoint, or the last; None: there is none so far."""
        return next(iter(checkpoints_in(self.folder)), None)

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Say within, if its corpus cannot be read, how to say where it is.

        Raises:
            InputError: as within, with the remedy.
        """
        try:
            yield
        except OptionError:
            raise
        except InputError as error:
            named = [key for key in PATHS if self.corpus.options.get(key) is not None]
            ways = [f"corpus.{key}=PATH" for key in named]
            raise InputError(
                f"{error}\n{printable(str(self.folder))} was trained on corpus="
                f"{self.corpus.options.get('name', self.corpus.target)}; if that has "
                f"moved, say where it is now: {', '.join(['data_dir=FOLDER', *ways])}"
            ) from error


def _move(value: Any, before: str, now: str) -> Any:
    """Plain values with another folder in place of one that paths begin with."""
    if isinstance(value, dict):
        return {key: _move(each, before, now) for key, each in value.items()}
    if isinstance(value, list):
        return [_move(each, before, now) for each in value]
    if isinstance(value, str) and _lies_in(value, before):
        return now + value[len(before) :]
    return value


def _lies_in(path: str, folder: str) -> bool:
    """Whether a path is written as one that begins with a folder."""
    return path == folder or path.startswith(f"{folder}/")


def _count_from(value: Any, folder: str, but: str | None, key: str = "") -> Any:
    """Plain values whose relative paths count from a folder.

    Args:
        value: of all options, or of one.
        folder: from which paths count.
        but: what begins with this counts from here.
        key: the name, of an option of the corpus itself.
    """
    if isinstance(value, dict):
        is_top = TARGET in value
        return {
            name: _count_from(each, folder, but, name if is_top else "")
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [_count_from(each, folder, but, key) for each in value]
    if not isinstance(value, str) or not value or value[0] in "/~" or "://" in value:
        return value
    if but is not None and _lies_in(value, but):
        return value
    there = os.path.join(folder, value)
    is_path = key in PATHS or ("/" in value and os.path.exists(there))
    return there if is_path else value


def _change(options: dict[str, Any], name: str, value: Any) -> None:
    """Put a value in place of an option's. Raises OptionError: there is none."""
    *groups, last = name.split(".")
    for group in groups:
        inner = options.get(group)
        options = inner if isinstance(inner, dict) else {}
    if last not in options or last.startswith("_"):
        known = [key for key in options if not key.startswith("_")]
        raise OptionError(
            f"corpus.{name} is no option of the run's corpus, expected one of: "
            f"{', '.join(known) or 'none'}{nearest(last, known)}; or choose another "
            "corpus by corpus=NAME"
        )
    options[last] = value
