"""What is kept between runs since it can be made again, and who makes it."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from speechgru.interfaces import InputError


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
