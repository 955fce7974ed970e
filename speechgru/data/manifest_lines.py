"""Going through the lines of a large manifest, to find out what it holds."""

import gzip
import math
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import NoneType

import numpy as np
import orjson
from numpy.typing import NDArray

from speechgru.bounded import GZIP
from speechgru.data.file_numbers import Numbers
from speechgru.data.manifest import to_utterance
from speechgru.files import (
    MOST_LISTED,
    list_problems,
    parse_object,
    repeated_id,
    skip_mark,
)
from speechgru.interfaces import InputError
from speechgru.records import MOST_NUMBER, get_byte_range

MOST_WORDS = 3_000_000
"""Different words that are counted; of more, as of texts without spaces, none."""

MOST_FILES = 1_000_000
"""Files that hold many utterances; of more, none is remembered."""

MOST_TIMES = 200
"""As large as a compressed manifest may be what it holds."""

_BLOCK = 1 << 24  # bytes of the manifest that are read at once
_LONGEST_LINE = 1 << 26  # bytes

Line = tuple[str, float, str, str | None]
"""Id, duration, text, and the file, where others lie in it, too."""


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


@dataclass(frozen=True)
class Collected:
    """What an index holds.

    Attributes:
        starts: (N + 1,) int64, bytes: where each line begins, and the last one ends.
        durations: (N,) float64, s.
        files: (N,) int32, numbers of the files that utterances lie in, if `paths`
            names any.
        paths: JSON, those files as the manifest names them, in order; of none: an
            utterance has a file of its own; empty: there are too many.
        words: JSON, how often each word occurs; empty: there are too many.
        several: whether any text has more than one word.
    """

    starts: NDArray[np.int64]
    durations: NDArray[np.float64]
    files: Numbers
    paths: bytes
    words: bytes
    several: bool

    @property
    def num_bytes(self) -> int:
        """Of all of it."""
        columns = (self.starts, self.durations, self.files)
        size = sum(column.nbytes for column in columns)
        return size + len(self.paths) + len(self.words)


class Collector:
    """Takes the lines of a manifest in, and remembers what an index holds."""

    def __init__(self, manifest: Path) -> None:
        self._manifest = manifest
        self._starts = array("q")
        self._durations = array("d")
        self._ids = array("q")  # hashes
        self._numbers = array("q")  # of lines
        self._files = array("i")
        self._paths: dict[str, int] = {}
        self._raw_paths: bytes | None = None
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
        id, duration, text, file = _look_at(line) or _parse(line)
        self._starts.append(start)
        self._durations.append(duration)
        self._ids.append(hash(id))
        self._numbers.append(self._num_lines)
        if self._raw_paths is None:
            self._add_file(file)
        words = text.split()
        self._several = self._several or len(words) > 1
        if self._words is not None:
            self._words.update(words)
            if len(self._words) > MOST_WORDS:
                self._words = None

    def _add_file(self, file: str | None) -> None:
        if file is not None:
            self._files.append(self._paths.setdefault(file, len(self._paths)))
        if file is None or len(self._paths) > MOST_FILES:
            self._raw_paths = b"[]" if file is None else b""
            self._paths, self._files = {}, array("i")

    def _note(self, number: int, problem: str) -> None:
        self._num_problems += 1
        if self._num_problems <= MOST_LISTED:
            self._problems.append(f"{self._manifest}:{number}: {problem}")

    def finish(self) -> Collected:
        """What was collected.

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
        self._starts.append(self._end)
        raw = self._raw_paths
        return Collected(
            np.frombuffer(self._starts, dtype=np.int64),
            np.frombuffer(self._durations, dtype=np.float64),
            np.frombuffer(self._files, dtype=np.int32),
            orjson.dumps([*self._paths]) if raw is None else raw,
            b"" if self._words is None else orjson.dumps(self._words),
            self._several,
        )

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
                    id, *_ = _parse(line)
                    if first.setdefault(id, number) != number:
                        self._note(number, repeated_id(id, first[id]))


def _look_at(line: bytes) -> Line | None:
    """What a line holds that is plainly sound; of another, None."""
    try:
        record = orjson.loads(line)
        id, duration, text = record["id"], record["duration"], record["text"]
        path, offset = record["audio_filepath"], record.get("offset", 0)
        byte_range = get_byte_range(record)
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
    ):
        return id, duration, text, None if byte_range is None else path
    return None


def _parse(line: bytes) -> Line:
    """The same of any line. Raises InputError."""
    record = parse_object(line)
    utterance = to_utterance(record, Path())
    file = None if utterance.byte_range is None else record["audio_filepath"]
    return utterance.id, utterance.duration, utterance.text, file
