"""The folder of a run: one process at a time, and nothing half made stays in it."""

import contextlib
import errno
import fcntl
import json
import logging
import os
import re
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from speechgru.bounded import read_json
from speechgru.checkpoint.storage import DESCRIPTION_KEY, read_checkpoint
from speechgru.files import replace_file, to_json
from speechgru.interfaces import InputError
from speechgru.options.component import flatten
from speechgru.options.config_file import read_config, write_config
from speechgru.options.training import TrainOptions
from speechgru.run_files import (
    BEST,
    CONFIG_FILE,
    INVENTORY_FILE,
    LAST,
    LENGTH_FILE,
    LOCK_FILE,
    LOG_FILE,
    SKIPPED_FILE,
    START_FILE,
    WAS,
)

log = logging.getLogger(__name__)

_MADE = (
    *(CONFIG_FILE, START_FILE, SKIPPED_FILE, INVENTORY_FILE, LENGTH_FILE),
    *(LOG_FILE, LOCK_FILE),
)
"""What a start makes before it trains."""

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)

_HALF_WRITTEN = re.compile(
    r"\.(config\.yaml|start\.json|length\.json|skipped\.jsonl|trackers\.json"
    r"|data\.jsonl|curves\.png"
    r"|(last|best|epoch-\d+)\.ckpt)\.[0-9a-f]{8}"
)
"""What `replace_file` leaves behind if it is killed; of a run's own files."""


@contextlib.contextmanager
def claim(folder: Path) -> Iterator[None]:
    """Be the only process that trains in a folder, and tidy it up.

    The system frees the lock when the process ends, however it ends.

    Raises:
        InputError: another process is at it.
    """
    path = folder / LOCK_FILE
    with _open_lock(path) as file:
        try:
            # Not flock: loading processes would inherit the lock, and outlive us.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                if error.errno not in _NO_LOCKS:
                    raise
                log.warning(
                    "%s: the file system has no locks (%s); see to it yourself that "
                    "no other process trains in this folder",
                    folder,
                    error.strerror,
                )
                yield
                return
            file.seek(0)
            raise InputError(
                f"{folder}: {_describe_owner(file.read())} trains in this folder; wait "
                "for it, or end it, or name another folder"
            ) from error
        if not _is_at(path, file):
            # A start that failed has removed it since it was opened.
            with claim(folder):
                yield
            return
        owner = {
            "process": os.getpid(),
            "host": socket.gethostname(),
            "since": time.strftime("%Y-%m-%d %H:%M:%S"),
        }
        _remove_half_written(folder)
        file.truncate(0)
        with contextlib.suppress(OSError):  # on a full disk the lock is one, too
            file.write(to_json(owner) + b"\n")
        yield
        file.truncate(0)


def _open_lock(path: Path) -> BinaryIO:
    """Open a file that may be a stranger's, and lead to another one."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise InputError(
            f"{path}: is a link or no file, expected the lock of a run; remove it"
        )
    return open(path, "r+b", buffering=0, opener=lambda p, _: os.open(p, flags, 0o666))


def _is_at(path: Path, file: BinaryIO) -> bool:
    """Whether an open file is still the one of a path."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def begin_anew(folder: Path, keeps_length: bool = False) -> None:
    """Get a folder ready in which no checkpoint was saved yet.

    Args:
        folder: of the run.
        keeps_length: whether it ends where its end was fixed, if it was.

    Raises:
        InputError: it holds a run.
    """
    if (folder / LAST).exists():
        raise InputError(
            f"{folder}: holds a run already, expected a new folder; go on with it by "
            f"speechgru train resume={folder}"
        )
    kept = sorted(folder.glob("epoch-*.ckpt"))
    if (folder / BEST).exists() and _epoch_of(folder / BEST) > 1:
        kept.insert(0, folder / BEST)  # of the first epoch: it ended before last.ckpt
    if kept:
        raise InputError(
            f"{folder}: holds {kept[0].name} of an earlier run, but no {LAST} to "
            "resume from, expected a new folder; move it away, or name another"
        )
    for name in (
        SKIPPED_FILE,
        INVENTORY_FILE,
        *([] if keeps_length else [LENGTH_FILE]),
    ):
        (folder / name).unlink(missing_ok=True)


@contextlib.contextmanager
def starting(folder: Path) -> Iterator[None]:
    """Take away what a start has made if it fails before anything is trained.

    Nothing is touched where another process has claimed the folder.
    """
    before = set(os.listdir(folder)) - {LOCK_FILE}
    try:
        yield
    except BaseException:
        with contextlib.suppress(InputError, OSError), claim(folder):
            _clear_start(folder, before)
        raise


def _clear_start(folder: Path, before: set[str]) -> None:
    """Remove what a start has made, and the folder if nothing else is in it.

    Nothing is removed once there is an inventory: then it has trained.

    Args:
        folder: of the run.
        before: names of what was there before.
    """
    if (folder / INVENTORY_FILE).exists():
        return
    for name in set(_MADE) - before:
        (folder / name).unlink(missing_ok=True)
    folder.rmdir()


def write_options(
    folder: Path,
    options: TrainOptions,
    recipe: str | None,
    was: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Keep the options of a run.

    Args:
        folder: of the run.
        options: as they are now.
        recipe: name.
        was: how they were before; see `options_before`.
    """
    before = {WAS: list(map(dict, was))} if was else {}
    config = {**options.to_plain(), "recipe": recipe, **before}
    write_config(folder / CONFIG_FILE, config)


def options_before(
    folder: Path, before: TrainOptions | None, now: TrainOptions, step: int
) -> list[dict[str, Any]]:
    """How the options of a run were, each time that it went on with others.

    Args:
        folder: of the run, whose configuration says how they were until now.
        before: options of its last checkpoint; None: it does not say.
        now: options to go on with.
        step: how many steps are done.
    """
    path = folder / CONFIG_FILE
    was = read_config(path).get(WAS) if path.exists() else None
    was = was if isinstance(was, list) else []
    was = [entry for entry in was if isinstance(entry, dict)]
    if before is None:
        return was
    then, here = flatten(before.to_plain()), flatten(now.to_plain())
    changed = {
        key: then[key] for key in then if then[key] != here.get(key) and key != "trust"
    }
    entry = {"until_step": step, **changed}
    return [*was, entry] if changed and entry not in was else was


def write_start(folder: Path) -> None:
    """Keep how the run was started."""
    start = {"directory": os.getcwd(), "command": sys.argv}
    replace_file(folder / START_FILE, to_json(start, indent=1) + b"\n")


@contextlib.contextmanager
def working_where_it_began(folder: Path) -> Iterator[None]:
    """Work in the directory in which a run was started, as its paths expect."""
    here, there = os.getcwd(), read_directory(folder)
    if there is None:
        log.warning("relative paths of the run count from %s: it says no other", here)
    elif there != here:
        log.warning("relative paths of the run count from %s, where it began", there)
        os.chdir(there)
    try:
        yield
    finally:
        os.chdir(here)


def read_directory(folder: Path) -> str | None:
    """Where the run of a folder began, if that is known and still there."""
    try:
        if not (folder / START_FILE).is_file():
            return None
        start: dict[str, Any] = read_json(folder / START_FILE)
        directory = start["directory"]
    except (OSError, ValueError, LookupError, TypeError):
        return None  # of an older version
    known = isinstance(directory, str) and os.path.isdir(directory)
    return directory if known else None


def _remove_half_written(folder: Path) -> None:
    for path in folder.glob(".*"):
        if _HALF_WRITTEN.fullmatch(path.name):
            path.unlink(missing_ok=True)


def _describe_owner(content: bytes) -> str:
    try:
        owner = json.loads(content)
        return f"process {owner['process']} of {owner['host']}, since {owner['since']},"
    except (ValueError, LookupError, TypeError):
        return "another process"


def _epoch_of(path: Path) -> int:
    return read_checkpoint(path)[DESCRIPTION_KEY]["metadata"].get("epoch", 0)
