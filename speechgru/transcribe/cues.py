"""Words to subtitles that can be read in the time that they are shown.

Source: Netflix, "Timed Text Style Guide: General Requirements" (duration, lines)
and "English Template" (characters in a line). Where a pause is long enough for
another subtitle is our own choice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from speechgru.interfaces import Span
from speechgru.transcribe.transcript import Transcript

LINE = 42
"""Characters in a line, unless a single word has more: none is cut."""

NUM_LINES = 2
"""In a subtitle at most."""

LONGEST = 7.0
"""s that a subtitle is shown at most, unless a single word takes longer."""

SHORTEST = 5 / 6
"""s that it is shown at least, where the next one and the recording leave room."""

PAUSE = 0.8
"""s without a word after which another subtitle begins."""


@dataclass(frozen=True)
class Cue:
    """A subtitle.

    Attributes:
        start: ms from the start of the recording.
        end: ms; later than start.
        lines: of text, without line ends.
    """

    start: int
    end: int
    lines: tuple[str, ...]


def cut_into_cues(transcript: Transcript) -> list[Cue]:
    """Divide the words among subtitles, which never overlap."""
    groups = list(_group(transcript.words))
    starts = [_milliseconds(group[0].start) for group in groups]
    limit = _milliseconds(transcript.end)
    cues: list[Cue] = []
    for index, group in enumerate(groups):
        said = _milliseconds(group[-1].end)
        room = starts[index + 1] if index + 1 < len(groups) else max(limit, said)
        start = max(starts[index], cues[-1].end if cues else 0)
        end = max(said, min(start + _milliseconds(SHORTEST), room))
        cues.append(Cue(start, max(end, start + 1), tuple(_break(group))))
    return cues


def clock(time: int, separator: str) -> str:
    """A time in ms as hours:minutes:seconds and thousandths.

    >>> clock(3_723_004, ",")
    '01:02:03,004'
    """
    seconds, thousandths = divmod(time, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{separator}{thousandths:03}"


def _group(words: Sequence[Span]) -> Iterator[list[Span]]:
    group: list[Span] = []
    for word in words:
        if group and not _fits(group, word):
            yield group
            group = []
        group.append(word)
    if group:
        yield group


def _fits(group: list[Span], word: Span) -> bool:
    """Whether a word can be shown with those before it."""
    return (
        word.start - group[-1].end < PAUSE
        and word.end - group[0].start <= LONGEST
        and len(_break([*group, word])) <= NUM_LINES
    )


def _break(words: Sequence[Span]) -> list[str]:
    """Lines of whole words, as few as there can be."""
    lines: list[str] = []
    for word in words:
        text = " ".join(word.text.split())
        if lines and len(lines[-1]) + 1 + len(text) <= LINE:
            lines[-1] += f" {text}"
        else:
            lines.append(text)
    return lines


def _milliseconds(seconds: float) -> int:
    return round(1000 * seconds)
