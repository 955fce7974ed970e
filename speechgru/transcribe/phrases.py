"""The words of a transcript as pieces that fit on a line, and where speech pauses."""

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from speechgru.interfaces import Span
from speechgru.transcribe.transcript import Transcript

PAUSE = 0.8
"""s without a word after which another subtitle begins; our own choice."""

_SAME = 1e-6  # s, within which two times are one


@dataclass(frozen=True)
class Piece:
    """A word, or a part of one that is longer than a line or needs no spaces.

    Attributes:
        text: without line ends.
        start: s from the start of the recording.
        end: s.
        is_joined: whether no space stands in front of it.
    """

    text: str
    start: float
    end: float
    is_joined: bool = False


def width(text: str) -> int:
    """Columns that a text takes: wide characters, as of Chinese, take two.

    >>> width("AB"), width("你好")
    (2, 4)
    """
    return sum(2 if _is_wide(character) else 1 for character in text)


def join(pieces: Sequence[Piece]) -> str:
    """The text of some pieces."""
    parts = [piece.text if piece.is_joined else f" {piece.text}" for piece in pieces]
    first = pieces[0].text if pieces else ""
    return first + "".join(parts[1:])


def phrases_of(transcript: Transcript, line: int) -> Iterator[list[Piece]]:
    """What is said between one pause and the next, and within one segment.

    Args:
        transcript: its words, in order of time.
        line: columns that no piece exceeds.
    """
    starts = [segment.start for segment in transcript.segments]
    phrase: list[Piece] = []
    for word in transcript.words:
        for piece in _cut_word(word, transcript.tokens, line):
            if phrase and (
                piece.start - phrase[-1].end >= PAUSE
                or bisect_right(starts, phrase[-1].start)
                != bisect_right(starts, piece.start)
            ):
                yield phrase
                phrase = []
            phrase.append(piece)
    if phrase:
        yield phrase


def _cut_word(word: Span, tokens: Sequence[Span], line: int) -> Iterator[Piece]:
    """A word, or its characters where they are wide, or lines of a long one."""
    text = " ".join(word.text.split())
    parts = _parts(text, line)
    if len(parts) < 2:
        if text:
            yield Piece(text, word.start, word.end)
        return
    times = _times(text, word, tokens)
    at = 0
    for number, part in enumerate(parts):
        start, at = times[at][0], at + len(part)
        yield Piece(part.strip(), start, times[at - 1][1], number > 0)


def _parts(text: str, line: int) -> list[str]:
    parts: list[str] = []
    for character in text:
        is_mark = unicodedata.category(character)[0] in "MP" or character == " "
        fits = bool(parts) and width(parts[-1] + character) <= line
        before = parts[-1][-1] if parts else ""
        is_apart = _is_wide(character) or _is_wide(before or " ")
        # Marks and punctuation stay with what they follow.
        if fits and (is_mark or not is_apart):
            parts[-1] += character
        else:
            parts.append(character)
    return parts


def _times(text: str, word: Span, tokens: Sequence[Span]) -> list[tuple[float, float]]:
    """Start and end of each character: its share of its token, or of the word."""
    first = bisect_left(tokens, word.start - _SAME, key=lambda token: token.start)
    last = bisect_right(tokens, word.end + _SAME, key=lambda token: token.start)
    inside = [token for token in tokens[first:last] if token.text.strip()]
    is_spelled = "".join(token.text.strip() for token in inside) == text
    return [
        (span.start + step * at, span.start + step * (at + 1))
        for span in (inside if is_spelled else [word])
        for size in [len(span.text.strip()) if is_spelled else len(text)]
        for step in [(span.end - span.start) / size]
        for at in range(size)
    ]


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"
