"""Ending long work by Ctrl-C or SIGTERM, with what it has found so far."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """A signal asks the work to end; no library takes it for an error of its own.

    Attributes:
        status: of the program's exit.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


@contextlib.contextmanager
def handling(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Let a handler have SIGINT and SIGTERM meanwhile."""
    before = {number: signal.signal(number, handler) for number in _NUMBERS}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGINT and SIGTERM raise Stopped; a second one ends the program."""

    def stop(number: int, frame: FrameType | None) -> None:
        _let_the_next_end()
        raise Stopped(number)

    with handling(stop):
        yield


@contextlib.contextmanager
def ending_by(stop: Callable[[], None]) -> Iterator[list[int]]:
    """Let the first SIGINT or SIGTERM call a function; a second one ends the program.

    Yields:
        The numbers of the signals that came.
    """
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        _let_the_next_end()
        came.append(number)
        stop()

    with handling(note):
        yield came


def _let_the_next_end() -> None:
    """Let another signal end the program."""
    for number in _NUMBERS:
        signal.signal(number, signal.SIG_DFL)
