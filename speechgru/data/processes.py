"""Processes that work for this one, and end with it."""

import multiprocessing
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Literal

import torch

from speechgru.threads import end_with_parent


@contextmanager
def processes(
    count: int, method: Literal["fork", "spawn"] = "fork"
) -> Iterator[ProcessPoolExecutor]:
    """So many processes, which end with the block, however it ends.

    Args:
        count: how many.
        method: of starting them. A process that is spawned imports torch anew, which
            takes longer than 1,000 files; but one that was forked cannot use torch's
            threads where this one has.
    """
    before = set(multiprocessing.active_children())
    context = multiprocessing.get_context(method)
    pool = ProcessPoolExecutor(count, context, initializer=_begin)
    try:
        yield pool
    except BaseException:
        for process in set(multiprocessing.active_children()) - before:
            process.kill()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    """Leave Ctrl-C to the main process, end at SIGTERM and with it; take one core."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    torch.set_num_threads(1)
