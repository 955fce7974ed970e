"""A part of a recording: from when to when, and which of its channels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from speechgru.interfaces import InputError

if TYPE_CHECKING:
    from speechgru.transcribe.recording import Source


@dataclass(frozen=True, eq=False)
class Excerpt:
    """What to hear of a recording; times of its transcript count from the start of
    the recording.

    Attributes:
        source: whatever else `Transcriber.transcribe` takes.
        start: s.
        end: s; None: to the end of the recording.
        channel: the one to hear, from 0; None: the average of all.

    Raises:
        InputError: it ends before it starts, or a number means nothing.
    """

    source: Source
    start: float = 0.0
    end: float | None = None
    channel: int | None = None

    def __post_init__(self) -> None:
        start, end = self.start, self.end
        if not 0 <= start < math.inf:
            raise InputError(f"start is {start}, expected at least 0 s; correct it")
        if end is not None and not start < end < math.inf:
            raise InputError(
                f"start is {start:g} s and end is {end:g} s, expected an end behind "
                "the start; correct one of them"
            )
        if self.channel is not None and self.channel < 0:
            raise InputError(f"channel is {self.channel}, expected 0, 1, ...")
        if isinstance(self.source, Excerpt):
            raise InputError("an Excerpt of an Excerpt, expected one of a recording")

    @property
    def duration(self) -> float | None:
        """s; None: to the end."""
        return None if self.end is None else self.end - self.start
