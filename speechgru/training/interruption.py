"""Ctrl-C and SIGTERM, from the first import of a run to its last file."""

import logging
import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """A signal ends the run.

    Like KeyboardInterrupt no Exception, so that nothing on the way takes it
    for an error that it can live with.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number

    @property
    def status(self) -> int:
        """Exit status of a process that the signal ended."""
        return 128 + self.number


class Interruption:
    """Takes SIGINT and SIGTERM over, for as long as its `with` lasts.

    Before training they raise Interrupted at once: nothing can be lost. From
    `wait_for_step` on, the first is only noted, for the run to end after its
    step; a second one kills.

    Attributes:
        number: of the signal that came, if one did.
        waits: whether a signal is noted only.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self.waits = False
        self._process = os.getpid()
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                self._handlers[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()

    def check(self) -> None:
        """Raise Interrupted if a signal came, which some import may have swallowed."""
        if self.number is not None:
            raise Interrupted(self.number)

    def wait_for_step(self) -> None:
        """From now on let a step end before the run does."""
        self.check()
        for number in self._handlers:
            # Lightning has put its own around them, which end other processes.
            signal.signal(number, self._on_signal)
        self.waits = True

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:
            return  # a loading process that has just been forked
        if not self.waits:
            self.number = number
            raise Interrupted(number)
        if self.number is not None:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.number = number
        log.info("%s: ending after this step", signal.Signals(number).name)
