"""What a transcript depends on besides its recording."""

import os
from hashlib import blake2b
from pathlib import Path
from typing import Any

from speechgru.files import file_state, printable, reason
from speechgru.interfaces import InputError
from speechgru.options.component import flatten
from speechgru.options.transcription import TranscribeOptions

INDIFFERENT = {
    *("output", "overwrite", "format", "processes", "shard", "device", "batch_seconds"),
    *("num_threads", "max_memory", "trust"),
}
"""Options that do not change what is heard. Every other one does, or may."""


def settings_of(
    checkpoint: str | os.PathLike[str], options: TranscribeOptions
) -> dict[str, Any]:
    """Everything that may change a text, as plain values by name.

    The checkpoint counts by what is in it, so that it may be moved; other files
    count by size and time, too.

    Raises:
        InputError: the checkpoint cannot be read.
    """
    found = {
        key: _identify(value)
        for key, value in flatten(options.to_plain()).items()
        if key.partition(".")[0] not in INDIFFERENT
    }
    return {"checkpoint": _digest(checkpoint)} | found


def _digest(path: str | os.PathLike[str]) -> str:
    found = blake2b(digest_size=8)
    try:
        with Path(path).open("rb") as file:
            while block := file.read(1 << 20):
                found.update(block)
    except OSError as error:
        raise InputError(
            f"{printable(str(path))}: cannot be read ({reason(error)}), expected a "
            "checkpoint; check the path"
        ) from error
    return found.hexdigest()


def _identify(value: Any) -> Any:
    if isinstance(value, str) and os.path.isfile(value):
        size, time = file_state(value)
        return f"{value} ({size} bytes, {time})"
    return value
