"""Going through the lines of a large manifest, to find out what it holds."""

import gzip
import math
from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import NoneType

import numpy as np
import orjson
from numpy.typing import NDArray

from speechgru.bounded import GZIP
from speechgru.data.manifest import parse_utterance
from speechgru.files import MOST_LISTED, list_problems, repeated_id, skip_mark
from speechgru.interfaces import InputError
from speechgru.records import MOST_NUMBER

MOST_WORDS = 3_000_000
"""Different words that are counted; of more, as of texts without spaces, none."""

MOST_TIMES = 200
"""As large as a compressed manifest may be what it holds."""

_BLOCK = 1 << 24  # bytes of the manifest that are read at once
_LONGEST_LINE = 1 << 26  # bytes


def is_compressed(manifest: Path) -> bool:
    """Whether by gzip. Raises OSError."""
    with manifest.open("rb") as file:
        return file.read(2) == GZIP


def read_blocks(manifest: Path) -> Iterator[tuple[int, list[bytes]]]:
    """Where a block of whole lines begins, and these, without their ends."""
    compressed = is_compressed(manifest)
    most = MOST_TIMES * manifest.stat().st_size if compressed else math.inf
    with gzip.open(manifest) if compressed else manifest.open("rb") as stream:
        start, rest = 0, b""
        while block := stream.read(_BLOCK):
            *lines, rest = (rest + block).split(b"\n")
            if len(rest) > _LONGEST_LINE or start > most:
                raise InputError(
                    f"{manifest}: a line of more than {_LONGEST_LINE >> 20} MiB, or "
                    f"more than {MOST_TIMES} times the file when unpacked, expected "
                    "JSON Lines; it is no manifest"
                )
            yield start, lines
            start += sum(map(len, lines)) + len(lines)
        if rest:
            yield start, [rest]


class Collector:
    """Takes the lines of a manifest in, and remembers what an index holds."""

    def __init__(self, manifest: Path) -> None:
        self._manifest = manifest
        self._starts = array("q")
        self._durations = array("d")
        self._ids = array("q")  # hashes
        self._numbers = array("q")  # of lines
        self._words: Counter[str] | None = Counter()
        self._several = False
        self._num_lines = 0
        self._end = 0
        self._problems: list[str] = []
        self._num_problems = 0

    def add(self, start: int, lines: list[bytes]) -> None:
        """Take lines in, the first of which begins at a byte."""
        for line in lines:
            self._num_lines += 1
            size = len(line) + 1
            if not start:
                start, line = skip_mark(line, self._manifest)
                size -= start
            if line.strip(b" \t\r"):
                try:
                    self._add(start, line)
                except InputError as error:
                    self._note(self._num_lines, str(error))
            start += size
        self._end = start

    def _add(self, start: int, line: bytes) -> None:
        id, duration, text = _look_at(line) or _parse(line)
        self._starts.append(start)
        self._durations.append(duration)
        self._ids.append(hash(id))
        self._numbers.append(self._num_lines)
        words = text.split()
        self._several = self._several or len(words) > 1
        if self._words is not None:
            self._words.update(words)
            if len(self._words) > MOST_WORDS:
                self._words = None

    def _note(self, number: int, problem: str) -> None:
        self._num_problems += 1
        if self._num_problems <= MOST_LISTED:
            self._problems.append(f"{self._manifest}:{number}: {problem}")

    def finish(self) -> tuple[NDArray[np.int64], NDArray[np.float64], bytes, bool]:
        """Starts and ends of lines, durations, words, and whether texts have several.

        Raises:
            InputError: bad lines, or none.
        """
        self._find_repeated()
        if self._problems:
            problems = list_problems(self._problems, self._manifest, self._num_problems)
            raise InputError(problems)
        if not len(self._durations):
            raise InputError(
                f"{self._manifest}: holds no utterances, expected at least one line of "
                "JSON; make it anew"
            )
        starts = np.array([*self._starts, self._end], dtype=np.int64)
        words = b"" if self._words is None else orjson.dumps(self._words)
        durations = np.frombuffer(self._durations, dtype=np.float64)
        return starts, durations, words, self._several

    def _find_repeated(self) -> None:
        """Note the lines whose ids others have, which are read again for that."""
        hashes = np.frombuffer(self._ids, dtype=np.int64)
        in_order = np.sort(hashes)
        repeated = set(in_order[1:][in_order[1:] == in_order[:-1]].tolist())
        if not repeated:
            return
        places = np.flatnonzero(np.isin(hashes, list(repeated)))
        numbers = {self._numbers[place] for place in places.tolist()}
        first: dict[str, int] = {}
        number = 0
        for start, lines in read_blocks(self._manifest):
            for line in lines:
                number += 1
                if number in numbers:
                    if number == 1 and not start:
                        _, line = skip_mark(line, self._manifest)
                    id, _, _ = _parse(line)
                    if first.setdefault(id, number) != number:
                        self._note(number, repeated_id(id, first[id]))


def _look_at(line: bytes) -> tuple[str, float, str] | None:
    """Id, duration and text of a line that is plainly sound; of another, None."""
    try:
        record = orjson.loads(line)
        id, duration, text = record["id"], record["duration"], record["text"]
        path, offset = record["audio_filepath"], record.get("offset", 0)
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    if (
        type(id) is str
        and type(text) is str
        and type(path) is str
        and type(duration) is float
        and type(offset) in (int, float)
        and type(record.get("speaker")) in (str, NoneType)
        and id
        and path
        and 0 < duration < MOST_NUMBER
        and 0 <= offset < MOST_NUMBER
        and record.get("byte_range") is None
    ):
        return id, duration, text
    return None


def _parse(line: bytes) -> tuple[str, float, str]:
    """The same of any line. Raises InputError."""
    utterance = parse_utterance(line, Path())
    return utterance.id, utterance.duration, utterance.text
