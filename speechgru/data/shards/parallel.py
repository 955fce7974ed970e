"""Work on several processes, none of which outlives it."""

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

import torch

from speechgru.interfaces import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(
    work: Callable[[Item], Result], items: Iterable[Item], count: int
) -> Iterator[tuple[int, Result]]:
    """Do the same with every item, in `count` processes; in this one where it is 1.

    Items are taken as they are needed.

    Args:
        work: can be sent to another process, like items and results.
        items: to work on.
        count: of processes.

    Yields:
        The number of each item, with its result, as they come.

    Raises:
        InputError: a process was killed.
    """
    if count == 1:
        yield from ((number, work(item)) for number, item in enumerate(items))
        return
    with _processes(count) as pool:
        waiting: dict[Future[Result], int] = {}
        left = enumerate(items)
        while True:
            while len(waiting) < 2 * count and (after := next(left, None)):
                waiting[pool.submit(work, after[1])] = after[0]
            if not waiting:
                return
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                number = waiting.pop(future)
                try:
                    yield number, future.result()
                except BrokenProcessPool as error:
                    raise InputError(
                        "a process that wrote a shard was killed, most often because "
                        "memory ran out; free some and start again: it goes on"
                    ) from error


@contextmanager
def _processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that end with the block, however it ends."""
    before = set(multiprocessing.active_children())
    # Forked: a process that imports torch anew takes seconds to begin.
    context = multiprocessing.get_context("fork")
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
    """Leave Ctrl-C to the main process, and end at SIGTERM; take one core."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    torch.set_num_threads(1)
