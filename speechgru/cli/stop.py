"""Ending long work by Ctrl-C or SIGTERM, with what it has found so far."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType


class Stopped(BaseException):
    """A signal asks the work to end; no library takes it for an error of its own.

    Attributes:
        status: of the program's exit.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGINT and SIGTERM raise Stopped; a second one ends the program."""
    numbers = (signal.SIGINT, signal.SIGTERM)

    def stop(number: int, frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_DFL)
        raise Stopped(number)

    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def ending_by(stop: Callable[[], None]) -> Iterator[list[int]]:
    """Let the first SIGINT or SIGTERM call a function; a second one ends the program.

    Yields:
        The numbers of the signals that came.
    """
    numbers = (signal.SIGINT, signal.SIGTERM)
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_DFL)
        came.append(number)
        stop()

    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
