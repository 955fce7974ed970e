"""Calls into a library that writes to standard error on its own.

libmpg123 writes to file descriptor 2, and nothing that libsndfile offers can
tell it not to. Descriptors belong to all threads of a process; but on Linux
a thread may have a table of its own, in which 2 is another file. So nothing
that other threads write is lost or delayed.
"""

import ctypes
import os
import threading
from collections.abc import Callable
from typing import TypeVar

_Result = TypeVar("_Result")
_CLONE_FILES = 0x400
_CLOSE_RANGE_UNSHARE = 2


def call_muted(function: Callable[[], _Result]) -> tuple[_Result, str]:
    """Call a function, which must open and close no file for others.

    Returns:
        What it returns, and what was written to descriptor 2 meanwhile.

    Raises:
        What the function raises.
    """
    caught: list[tuple[_Result, str] | BaseException] = []

    def run() -> None:
        try:
            caught.append(_call(function))
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(caught[0], BaseException):
        raise caught[0]
    return caught[0]


def _call(function: Callable[[], _Result]) -> tuple[_Result, str]:
    if not _leave_shared_descriptors():
        return function(), ""
    written = os.memfd_create("written")
    os.dup2(written, 2)
    result = function()
    size = os.lseek(written, 0, os.SEEK_CUR)
    return result, os.pread(written, min(size, 1 << 16), 0).decode(errors="replace")


def _leave_shared_descriptors() -> bool:
    """Give this thread a table of descriptors of its own, where possible."""
    libc = ctypes.CDLL(None)
    # Close none of them: what is decoded may be read from one.
    first, last = ctypes.c_uint(0xFFFFFFFE), ctypes.c_uint(0xFFFFFFFF)
    # Containers often forbid `unshare`; older kernels and libraries lack the other.
    if hasattr(libc, "close_range") and not libc.close_range(
        first, last, _CLOSE_RANGE_UNSHARE
    ):
        return True
    return hasattr(libc, "unshare") and not libc.unshare(_CLONE_FILES)
