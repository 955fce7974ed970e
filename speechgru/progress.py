"""How far long work has come: a bar on a terminal, a plain line now and then elsewhere.

All of it goes to standard error. Work of a few seconds says nothing.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import TypeVar

from tqdm import tqdm

BAR_DELAY = 2.0  # s, before a bar appears
FIRST_LINE = 10.0  # s, before the first line
SHORTEST_PAUSE, LONGEST_PAUSE = 30.0, 600.0  # s, between lines
NUM_LINES = 20  # of work that takes longer than ten minutes
NOTE_EVERY = 0.5  # s, between notes in a bar

Item = TypeVar("Item")


class Pace:
    """When it is time for another line, so that a log of hours stays short.

    Args:
        first: s until the first line.
        now: the time, in s.
    """

    def __init__(self, first: float, now: float) -> None:
        self._said_at = now
        self._pause = first

    def is_due(self, now: float, whole: float | None) -> bool:
        """Whether to say something now.

        Args:
            now: the time, in s.
            whole: s that all the work takes, if that can be told.
        """
        # What was expected when the last line was said may have been far too long.
        if now < self._said_at + min(self._pause, _pause_of(whole)):
            return False
        self.rest(now, whole)
        return True

    def rest(self, now: float, whole: float | None) -> None:
        """Something was said: be silent for a while."""
        self._said_at = now
        self._pause = _pause_of(whole)


def _pause_of(whole: float | None) -> float:
    """Seconds between the lines of work that takes so many, if that can be told."""
    return min(max(SHORTEST_PAUSE, (whole or 0.0) / NUM_LINES), LONGEST_PAUSE)


class Progress:
    """Show how much of some work is done, and how long the rest will take.

    Use it in a `with` statement.

    Args:
        name: of the work, e.g. "evaluate".
        total: all that is to be done; None: nobody knows.
        unit: in which it is counted, e.g. "files".
        done: before this work began, e.g. by a download that is continued.
        say: takes the plain lines; None: print them.
        pace: of the lines; None: one of its own.
    """

    def __init__(
        self,
        name: str,
        total: float | None,
        unit: str,
        done: float = 0.0,
        say: Callable[[str], None] | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.name = name
        self.total = total
        self.unit = unit
        self.done = self._before = done
        self._say = say or say_line
        self._started_at = self._noted_at = time.monotonic()
        self._pace = pace or Pace(FIRST_LINE, self._started_at)
        # What is counted one by one has an integer as its total, or as its start.
        counted = done if total is None else total
        self._number = "{:.0f}" if isinstance(counted, int) else "{:.1f}"
        self._is_on_terminal = _is_on_terminal()
        self._bar: tqdm | None = None

    def __enter__(self) -> "Progress":
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        self.close()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()

    def expect(self, total: float) -> None:
        """Set the total, where it becomes known while the work goes on."""
        self.total = total
        if self._bar is not None:
            self._bar.total = total
            self._bar.bar_format = self._bar_format()

    def advance(self, amount: float = 1, note: Callable[[], str] | None = None) -> None:
        """Count what has been done, and perhaps show it.

        Args:
            amount: done since the last call.
            note: tells what else to say, when it is said.
        """
        self.done += amount
        now = time.monotonic()
        if self._is_on_terminal:
            self._draw(now, amount, note)
            return
        if self.total is not None and self.done >= self.total:
            return  # what comes out of it says that it is done
        left = self.seconds_left(now)
        gone = now - self._started_at
        if self._pace.is_due(now, None if left is None else gone + left):
            said = [self._describe(gone, left), note() if note else ""]
            self._say("; ".join(filter(None, said)))

    def seconds_left(self, now: float) -> float | None:
        """Estimate the time until all is done; None if that cannot be told."""
        fresh = self.done - self._before
        if self.total is None or fresh <= 0:
            return None
        return (self.total - self.done) * (now - self._started_at) / fresh

    def _draw(self, now: float, amount: float, note: Callable[[], str] | None) -> None:
        gone = now - self._started_at
        is_new = self._bar is None
        if self._bar is None:
            if gone < BAR_DELAY:
                return
            # Not earlier, since a bar comes back behind each line that is written.
            self._bar = tqdm(
                desc=self.name,
                total=self.total,
                initial=self._before,
                bar_format=self._bar_format(),
                leave=False,
                dynamic_ncols=True,
                miniters=0,
                smoothing=0,  # the whole mean: steps differ too much for a short one
                delay=1e-9,  # drawn below, where all is set
            )
            self._bar.start_t -= gone
            amount = self.done - self._before
        if note is not None and now - self._noted_at >= NOTE_EVERY:
            self._noted_at = now
            self._bar.set_postfix_str(note(), refresh=False)
        self._bar.update(amount)
        if is_new:
            self._bar.refresh()

    def _describe(self, gone: float, left: float | None) -> str:
        line = f"{self.name}: {self._number.format(self.done)}"
        if self.total is not None:
            line += f" of {self._number.format(self.total)}"
        line += f" {self.unit}, {say_duration(gone)} gone"
        return line if left is None else f"{line}, about {say_duration(left)} left"

    def _bar_format(self) -> str:
        spec = self._number[2:-1]
        if self.total is None:
            return f"{{desc}}: {{n:{spec}}} {self.unit} [{{elapsed}}{{postfix}}]"
        return (
            f"{{desc}}: {{percentage:3.0f}} %|{{bar}}| {{n:{spec}}}/{{total:{spec}}} "
            f"{self.unit} [{{elapsed}}, {{remaining}} left{{postfix}}]"
        )


def track(
    items: Iterable[Item], name: str, unit: str, total: int | None = None
) -> Iterator[Item]:
    """Go through items and show how many are done; see `Progress`.

    Args:
        items: to go through.
        name, unit: as in `Progress`.
        total: number of items, if they cannot be counted.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    with Progress(name, total, unit, done=0) as progress:
        for item in items:
            yield item
            progress.advance()


@contextlib.contextmanager
def without_bars() -> Iterator[None]:
    """Write to the terminal where bars were, which come back behind it."""
    with tqdm.external_write_mode():
        yield


def _is_on_terminal() -> bool:
    """Whether a bar would be seen; some containers' terminals have no size."""
    if not sys.stderr.isatty():
        return False
    try:
        return 0 not in os.get_terminal_size(sys.stderr.fileno())
    except (OSError, ValueError):
        return True


def say_line(line: str) -> None:
    """Write a line to standard error, in front of a bar that may be there."""
    with without_bars():
        print(line, file=sys.stderr, flush=True)


def say_duration(seconds: float) -> str:
    """A time as people say it: 8 s, 3:20 min, 9:05 h."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60}:{seconds % 60:02} min"
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02} h"
