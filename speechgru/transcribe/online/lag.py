"""Whether the computer keeps up with the sound."""

import time
from collections.abc import Callable

FIRST = 1.0
"""s of lag that are told first; then twice as much each time."""


class LagWatch:
    """Say when sound comes faster than it is heard.

    How long the program needs is held against how much sound it has heard meanwhile,
    since it last waited for some. A file, which is read faster, is never behind.

    Args:
        say: takes a line that the user should read.
        clock: tells the time, in s.
    """

    def __init__(
        self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say = say
        self._clock = clock
        self.catch_up(0.0)

    def catch_up(self, heard: float) -> None:
        """All of the sound that there is has been heard: so many s."""
        self._began = self._clock() - heard
        self._told_at = FIRST

    def look(self, heard: float, waiting: float) -> None:
        """Say how far behind the program is, if that is more than when it said so.

        Args:
            heard: s of the stream.
            waiting: s of sound that has come but not been heard.
        """
        lag = self._clock() - self._began - heard
        if lag < self._told_at:
            return
        self._told_at = 2 * lag
        self._say(
            f"cannot keep up: {lag:.1f} s behind, {waiting:.1f} s of sound wait; a "
            "recorder loses what finds no room. Take decoder=greedy, a larger step=, "
            "or a smaller model"
        )
