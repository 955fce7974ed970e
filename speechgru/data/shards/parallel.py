"""Work on several processes, none of which outlives it."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from speechgru.data.processes import processes
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
    with processes(count) as pool:
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
