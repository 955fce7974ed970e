"""Words to subtitles that can be read in the time that they are shown.

Source: Netflix, "Timed Text Style Guide: General Requirements" (duration, lines)
and "English Template" (characters in a line).
"""

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from speechgru.transcribe.phrases import Piece, join, phrases_of, width
from speechgru.transcribe.transcript import Transcript

LINE = 42
"""Columns of a line; wide characters, as of Chinese, take two."""

NUM_LINES = 2
"""In a subtitle at most."""

LONGEST = 7.0
"""s that a subtitle is shown at most."""

SHORTEST = 1.0
"""s that it is shown at least, where words so fast fit into one at all."""

LATEST = 0.1
"""s that it may appear behind its first word, to leave the one before its time."""


@dataclass(frozen=True)
class Cue:
    """A subtitle.

    Attributes:
        start: ms from the start of the recording.
        end: ms; later than start.
        lines: of text, without line ends.
        text: all of it, as on one line.
    """

    start: int
    end: int
    lines: tuple[str, ...]
    text: str


def cut_into_cues(transcript: Transcript) -> list[Cue]:
    """Divide the words among subtitles, which never overlap or cross a pause.

    Each begins with its first word: at most 0.1 s later, and earlier only where it
    would else be shown for less than a second.
    """
    phrases = list(phrases_of(transcript, LINE))
    starts = [phrase[0].start for phrase in phrases]
    until = [*starts[1:], transcript.end]
    groups = [
        group
        for phrase, end in zip(phrases, until, strict=False)
        for group in _divide(phrase, end)
    ]
    return list(_place(groups, transcript.end))


def clock(time: int, separator: str) -> str:
    """A time in ms as hours:minutes:seconds and thousandths.

    >>> clock(3_723_004, ",")
    '01:02:03,004'
    """
    seconds, thousandths = divmod(time, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{separator}{thousandths:03}"


def milliseconds(seconds: float) -> int:
    """The same time in whole ms."""
    return round(1000 * seconds)


def _divide(phrase: Sequence[Piece], until: float) -> list[list[Piece]]:
    """Cut a phrase where the cost of all its subtitles together is the least.

    Args:
        phrase: at least one piece.
        until: s, when the next phrase begins.
    """
    begins, ends = _columns(phrase)
    num_pieces = len(phrase)
    costs = [0.0] + [math.inf] * num_pieces
    before = [0] * (num_pieces + 1)
    for first in range(num_pieces):
        # The first line takes what it can, the second what is behind it.
        second = bisect_right(ends, begins[first] + LINE, first)
        for last in range(first + 1, num_pieces + 1):
            said = phrase[last - 1].end - phrase[first].start
            fits = last <= second or ends[last - 1] - begins[second] <= LINE
            if last > first + 1 and not (fits and said <= LONGEST):
                break
            follows = phrase[last].start if last < num_pieces else until
            missing = max(0.0, SHORTEST - (follows - phrase[first].start))
            fill = (ends[last - 1] - begins[first]) / (NUM_LINES * LINE)
            # Few are best, then full ones alike; one that is too short is worst.
            cost = costs[first] + 1.0 + fill**2 + 100.0 * missing
            if cost < costs[last]:
                costs[last], before[last] = cost, first
    groups: list[list[Piece]] = []
    last = num_pieces
    while last:
        groups.append(list(phrase[before[last] : last]))
        last = before[last]
    return groups[::-1]


def _columns(phrase: Sequence[Piece]) -> tuple[list[int], list[int]]:
    """Where each piece would begin and end, were all of them on one line."""
    begins: list[int] = []
    ends: list[int] = []
    for piece in phrase:
        begins.append((ends[-1] + (not piece.is_joined)) if ends else 0)
        ends.append(begins[-1] + width(piece.text))
    return begins, ends


def _break(group: Sequence[Piece]) -> tuple[str, ...]:
    """One line, or two that are as equal as can be."""
    begins, ends = _columns(group)
    if ends[-1] <= LINE:
        return (join(group),)
    at = min(
        range(1, len(group)), key=lambda at: max(ends[at - 1], ends[-1] - begins[at])
    )
    return join(group[:at]), join(group[at:])


def _place(groups: Sequence[Sequence[Piece]], heard_to: float) -> Iterator[Cue]:
    """Give each group its time on the screen."""
    starts = [milliseconds(group[0].start) for group in groups]
    free = 0  # when the subtitle before has gone
    for index, group in enumerate(groups):
        said = milliseconds(group[-1].end)
        start = max(starts[index], free)
        enough = start + milliseconds(SHORTEST)
        if index + 1 < len(groups):
            room = starts[index + 1]
            end = min(max(said, min(enough, room)), room)
            end = max(end, min(enough, room + milliseconds(LATEST)))
        else:
            end = max(said, min(enough, milliseconds(heard_to)))
        end = min(end, start + milliseconds(LONGEST))
        start = max(free, min(start, end - milliseconds(SHORTEST)))
        end = max(end, start + 1)
        yield Cue(start, end, _break(group), join(group))
        free = end
