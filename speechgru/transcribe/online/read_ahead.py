"""Reading a pipe while the program is busy, so that who fills it need not wait."""

import io
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

MOST = 16 << 20
"""Bytes that are kept: 8 minutes of 16-bit mono sound at 16 kHz."""

AT_ONCE = 1 << 16
"""Bytes, as many as a pipe holds."""

PATIENCE = 0.1
"""s between two looks whether the program was told to end."""


class ReadAhead:
    """Read a stream in a thread of its own.

    A recorder must not wait, neither while the model is loaded nor later: what its
    pipe cannot hold is lost. Only if `MOST` bytes are waiting does the reading stop.

    Args:
        stream: binary, e.g. sys.stdin.buffer.
    """

    def __init__(self, stream: Any) -> None:
        self._read = _reader(stream)
        self._parts: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._has_ended = False
        self._error: OSError | None = None
        self.num_waiting = 0
        self.is_stopped = False
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """Read no more: what is waiting is still given. A signal may call it."""
        self.is_stopped = True

    def get(self) -> bytes:
        """The next bytes; b"" at the end.

        Raises:
            OSError: the stream cannot be read.
        """
        with self._changed:
            while not self._parts and not self._has_ended and not self.is_stopped:
                self._changed.wait(PATIENCE)
            if self._parts:
                part = self._parts.popleft()
                self.num_waiting -= len(part)
                self._changed.notify()
                return part
            if self._error is not None:
                raise self._error
            return b""

    @property
    def is_waited_for(self) -> bool:
        """Whether `get` would have to wait."""
        return not self._parts and not self._has_ended

    def _run(self) -> None:
        part = b"-"
        while part and not self.is_stopped:
            try:
                part = self._read(AT_ONCE)
            except OSError as error:
                self._error, part = error, b""
            with self._changed:
                if part:
                    self._parts.append(part)
                    self.num_waiting += len(part)
                self._has_ended = not part
                self._changed.notify()
                while self.num_waiting > MOST and not self.is_stopped:
                    self._changed.wait(PATIENCE)


def _reader(stream: Any) -> Callable[[int], bytes]:
    """What gives some bytes as soon as there are any."""
    try:
        number = stream.fileno()
    except (AttributeError, io.UnsupportedOperation):
        read: Callable[[int], bytes] = stream.read1
        return read
    # Not by the stream, whose lock a thread that waits would keep at the exit.
    return lambda count: os.read(number, count)
