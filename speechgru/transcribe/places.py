"""By what an output knows a recording again, and whether it has changed since."""

import os
import stat
from hashlib import blake2b

from speechgru.files import file_state
from speechgru.transcribe.inputs import Input
from speechgru.transcribe.transcript import NAMELESS, Failure


def source_of(each: Input) -> str:
    """The absolute path of a recording, or "-"."""
    return NAMELESS if isinstance(each.source, bytes) else os.path.abspath(_path(each))


def key_of(each: Input) -> str:
    """By what a file for all knows a recording, or the part of it that is heard.

    However the folder was named that it lies in, it has one key.
    """
    return os.path.join(os.path.dirname(source_of(each)), os.path.basename(each.place))


def state_of(each: Input) -> tuple[int, int]:
    """What differs if a recording has changed: its size and its time.

    Of one without a file, its size and a digest; of one that is not there, zeros.
    """
    if isinstance(each.source, bytes):
        found = blake2b(each.source, digest_size=7).digest()
        return len(each.source), int.from_bytes(found, "big")
    try:
        return file_state(_path(each))
    except (OSError, ValueError):
        return 0, 0


def is_pipe(path: str) -> bool:
    """Whether what is there can be read but once."""
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def encode(text: str) -> bytes:
    """As UTF-8, with the bytes of a file name that are none as they are."""
    return text.encode("utf-8", "surrogateescape")


def _path(each: Input) -> str:
    if isinstance(each.source, Failure):
        return each.source.source
    assert isinstance(each.source, str)
    return each.source
