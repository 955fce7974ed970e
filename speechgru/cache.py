"""Where what can be made or fetched again is kept between runs."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from speechgru.interfaces import InputError


def cache_folder(name: str) -> Path:
    """A folder of the cache; it need not exist.

    The cache is the folder SPEECHGRU_CACHE, else `speechgru` below XDG_CACHE_HOME,
    else below `~/.cache`.
    """
    own = os.environ.get("SPEECHGRU_CACHE")
    if own:
        return Path(own).expanduser().absolute() / name
    caches = os.environ.get("XDG_CACHE_HOME")
    return (Path(caches) if caches else Path.home() / ".cache") / "speechgru" / name


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
