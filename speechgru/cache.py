"""What is kept between runs since it can be made again, and who makes it."""

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from speechgru.interfaces import InputError

_log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Where this user keeps what can be made or fetched again.

    That is the folder SPEECHGRU_CACHE, or $XDG_CACHE_HOME/speechgru.
    """
    own = os.environ.get("SPEECHGRU_CACHE")
    if own:
        return Path(own).expanduser().absolute()
    caches = os.environ.get("XDG_CACHE_HOME")
    return (Path(caches) if caches else Path.home() / ".cache") / "speechgru"


@contextlib.contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Let one process at a time do something; the others wait.

    Args:
        lock: a file that stands for it; made where it is missing.

    Raises:
        InputError: it cannot be written.
    """
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("ab")
    except OSError as error:
        raise InputError(
            f"{lock}: cannot be written ({error.strerror}), expected a folder to keep "
            "things in; set the environment variable SPEECHGRU_CACHE to one"
        ) from error
    with file:
        # Some network file systems know no locks: then the work is done twice.
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def making(path: Path, what: str, remedy: str) -> Iterator[None]:
    """Let one process at a time make a file or folder of the user's.

    The others wait, are told so, and then find it made. The lock is a hidden file
    beside it, while it is being made; a process that is killed holds none.

    Args:
        path: of what is made; its folder is made, too.
        what: is done, e.g. "downloads"; for those who wait.
        remedy: what to do where the folder cannot be written.

    Raises:
        InputError: the folder cannot be written.
    """
    lock = path.with_name(f".{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("ab")
        while not _is_mine(file, lock):
            _log.warning("waiting for another process, which %s %s", what, path)
            with contextlib.suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_EX)
            file.close()
            file = lock.open("ab")
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror}), expected a folder that can "
            f"be; {remedy}"
        ) from error
    with file:
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                lock.unlink()


def _is_mine(file: BinaryIO, lock: Path) -> bool:
    """Whether nobody else has a lock, which nobody has removed meanwhile."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network file systems know no locks
        return True
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(lock))
    except FileNotFoundError:
        return False
