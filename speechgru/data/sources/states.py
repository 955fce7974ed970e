"""Files of the cache that were made of a source as it was at some time.

Their names begin with a digest of that state. Older ones may still be read by a run
that began before the source changed, so they stay for a while.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

from speechgru.files import file_state

LOCK = "lock"
"""Name of the file that stands for the folder while something is made in it."""

KEPT = 7 * 86400
"""s for which what was made of an earlier state stays, since it was last opened."""


def digest_files(paths: Iterable[Path]) -> str:
    """Digest names, sizes and times of files; one that is missing counts, too."""
    digest = hashlib.blake2b(digest_size=12)
    for path in paths:
        digest.update(os.fsencode(path) + b"\0" + state_of(path))
    return digest.hexdigest()


def state_of(path: Path) -> bytes:
    """Size and time of a file, or that it is missing."""
    try:
        return b"%d %d\n" % file_state(path)
    except OSError:
        return b"missing\n"


def note_use(folder: Path, state: str) -> None:
    """Remember that what was made of a state is in use now."""
    with contextlib.suppress(OSError):  # a cache that is only read
        (folder / f"{state}.used").touch()


def remove_unused(folder: Path, state: str) -> None:
    """Remove what was made of other states and has not been opened for long."""
    now = time.time()
    for path in sorted(folder.iterdir()):  # the mark of a state is the last of it
        other = path.name.lstrip(".").partition(".")[0]
        if path.name == LOCK or other == state:
            continue
        used = folder / f"{other}.used"
        with contextlib.suppress(OSError):
            last = (used if used.exists() else path).stat().st_mtime
            if now - last > KEPT:
                path.unlink()
