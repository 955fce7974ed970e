"""Whether a process trains in a folder, found out without being in its way."""

import contextlib
import fcntl
import json
import struct
import sys
from pathlib import Path
from typing import Any

from speechgru.bounded import open_file
from speechgru.run_files import LOCK_FILE

MOST_BYTES = 4096


def read_owner(folder: Path) -> dict[str, Any] | None:
    """Who trains in a run folder: its "process", "host" and "since".

    Returns:
        None: nobody; an empty dict: somebody of whom nothing is known.
    """
    try:
        file = open_file(folder / LOCK_FILE)
    except OSError:
        return None
    with file:
        content = file.read(MOST_BYTES)
        # A file system without locks has no more than what stands in the file.
        if not content or _is_free(file.fileno()):
            return None
    with contextlib.suppress(ValueError, RecursionError):
        owner = json.loads(content)
        if isinstance(owner, dict):
            return owner
    return {}


def _is_free(file: int) -> bool:
    """Ask whether a lock could be had, without taking it even for a moment."""
    if not sys.platform.startswith("linux"):
        return False  # where the fields of the question are in another order
    question = struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0)
    try:
        answer = fcntl.fcntl(file, fcntl.F_GETLK, question)
    except OSError:
        return False
    kind: int = struct.unpack("hhqqi", answer)[0]
    return kind == fcntl.F_UNLCK
