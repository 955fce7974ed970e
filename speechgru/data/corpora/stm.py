"""NIST's STM files: which stretch of a recording says what, one a line.

talk channel speaker start end <label> words
"""

import re
from pathlib import Path
from typing import NamedTuple

from speechgru.files import read_lines
from speechgru.interfaces import InputError

IGNORED = "ignore_time_segment_in_scoring"
"""The text of a stretch that nobody transcribed."""

_LINE = re.compile(
    r"(?P<talk>[^\s/]+) +\S+ +(?P<speaker>\S+) +(?P<start>[\d.]+) +(?P<end>[\d.]+)"
    r"(?: +<[^>\s]*>)?(?: +(?P<text>.*))?"
)


class Stretch(NamedTuple):
    """A line of an STM file.

    Attributes:
        talk: name of the recording.
        speaker: who speaks.
        start, end: s.
        text: as the file has it.
    """

    talk: str
    speaker: str
    start: float
    end: float
    text: str


def read_stm(path: Path) -> list[Stretch]:
    """Read all lines, but comments, in the order of the file.

    Raises:
        InputError: not UTF-8, or a line that is none, or whose end is not behind its
            start.
    """
    stretches = []
    for number, line in enumerate(read_lines(path, "an STM file"), 1):
        line = " ".join(line.split())
        if not line or line.startswith(";;"):
            continue
        match = _LINE.fullmatch(line)
        try:
            if match is None:
                raise ValueError("too few columns")
            start, end = float(match["start"]), float(match["end"])
            if not start < end:
                raise ValueError(f"it ends at {end} s")
        except ValueError as error:
            raise InputError(
                f"{path}:{number}: '{line[:80]}' is no line of an STM file ({error}), "
                "expected TALK CHANNEL SPEAKER START END <LABEL> WORDS; take the "
                "original archive"
            ) from error
        text = match["text"] or ""
        stretches.append(Stretch(match["talk"], match["speaker"], start, end, text))
    return stretches
