"""What a large manifest holds, found out once: where its lines are, and how long.

The index of `train.jsonl` is `train.jsonl.index` beside it, or, where that folder
cannot be written, a file of the user's cache. It is made anew when the manifest has
another size or time than it says. It begins with a line of JSON; arrays follow, which
are mapped into memory and thereby shared by all processes.
"""

import hashlib
import json
import logging
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from speechgru.cache import cache_folder
from speechgru.data.manifest_lines import Collector, is_compressed, read_blocks
from speechgru.files import file_state, reason, replace_by_parts
from speechgru.interfaces import InputError
from speechgru.progress import Progress
from speechgru.text.word_counts import WordCounts

log = logging.getLogger(__name__)

_SCHEMA = 1
_HEADER_SIZE = 4096  # bytes, a page, so that the arrays behind it are aligned
_MB = 1e6


@dataclass(frozen=True)
class ManifestIndex:
    """What is known of a manifest without reading it.

    Attributes:
        lines: the file that holds the lines; not the manifest where that is
            compressed.
        state: of that file; see `file_state`.
        starts: (N + 1,) int64, bytes: where the line of each utterance begins, and
            where the last one ends.
        durations: (N,) float64, s.
        several: whether any text has more than one word.
        raw_words: JSON, how often each word occurs, read when it is asked for; empty:
            there are too many.
    """

    lines: Path
    state: tuple[int, int]
    starts: NDArray[np.int64]
    durations: NDArray[np.float64]
    several: bool
    raw_words: bytes | memoryview

    @cached_property
    def words(self) -> WordCounts | None:
        """Of all texts; None: there are too many, or that part is damaged."""
        try:
            counts = orjson.loads(self.raw_words) if self.raw_words else None
        except ValueError:
            return None
        return WordCounts(counts, self.several) if isinstance(counts, dict) else None


def open_index(manifest: Path) -> ManifestIndex:
    """Read the index of a manifest, or make it.

    Raises:
        InputError: the manifest cannot be read, has bad lines, or changes meanwhile.
    """
    try:
        state = file_state(manifest)
        for path in _places(manifest):
            index = _read(path, manifest, state)
            if index is not None:
                return index
        return _make(manifest, state)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(
            f"{manifest}: cannot be read ({reason(error)}), expected a manifest; "
            "correct the path, or copy the file again"
        ) from error


def _places(manifest: Path) -> Iterator[Path]:
    """Where its index may be, the best place first."""
    yield manifest.with_name(f"{manifest.name}.index")
    digest = hashlib.blake2b(os.fsencode(manifest.absolute()), digest_size=16)
    yield cache_folder() / "indexes" / f"{digest.hexdigest()}.index"


def _read(path: Path, manifest: Path, state: tuple[int, int]) -> ManifestIndex | None:
    """An index that is whole and of the manifest as it is now."""
    try:
        with path.open("rb") as file:
            header = json.loads(file.read(_HEADER_SIZE))
            count, num_words = int(header["utterances"]), int(header["word_bytes"])
            known = header["schema"], (header["size"], header["modified"])
            numbers = _HEADER_SIZE + 8 * (2 * count + 1)
            size = numbers + num_words + int(header["line_bytes"])
            own = file_state(file.fileno())
            if known != (_SCHEMA, state) or own[0] != size or count < 1:
                return None
        mapped = np.memmap(path, np.int64, "r", _HEADER_SIZE, (2 * count + 1,))
        raw_words: bytes | memoryview = b""
        if num_words:
            raw_words = np.memmap(path, np.uint8, "r", numbers, (num_words,)).data
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        log.warning("%s: cannot be read (%s), is made anew", path, error)
        return None
    within = header["line_bytes"] > 0
    starts, durations = mapped[: count + 1], mapped[count + 1 :].view(np.float64)
    last = size if within else state[0] + 1  # the last line may lack its end
    if starts[0] < 0 or starts[-1] > last or (np.diff(starts) <= 0).any():
        log.warning("%s: is damaged, is made anew", path)
        return None
    return ManifestIndex(
        path if within else manifest,
        own if within else state,
        starts,
        durations,
        bool(header["several"]),
        raw_words,
    )


def _make(manifest: Path, state: tuple[int, int]) -> ManifestIndex:
    found = Collector(manifest)
    kept: list[bytes] = []
    compressed = is_compressed(manifest)
    total = None if compressed else state[0] / _MB
    with Progress(f"indexing {manifest.name}", total, "MB") as progress:
        for start, lines in read_blocks(manifest):
            found.add(start, lines)
            progress.advance(sum(map(len, lines)) / _MB)
            if compressed:
                kept += [b"\n".join(lines), b"\n"]
    if file_state(manifest) != state:
        raise InputError(
            f"{manifest}: changed while it was read, expected to stay as it was; wait "
            "until it is written, and start again"
        )
    starts, durations, words, several = found.finish()
    numbers = np.concatenate([starts, durations.view(np.int64)])
    shift = _HEADER_SIZE + numbers.nbytes + len(words)
    if compressed:
        starts = starts + shift
        numbers[: len(starts)] = starts
    header = {
        "schema": _SCHEMA,
        "size": state[0],
        "modified": state[1],
        "utterances": len(durations),
        "several": several,
        "word_bytes": len(words),
        "line_bytes": sum(map(len, kept)),
    }
    first = json.dumps(header).encode().ljust(_HEADER_SIZE - 1) + b"\n"
    failures = []
    for path in _places(manifest):
        try:
            replace_by_parts(path, [first, memoryview(numbers), words, *kept])
        except InputError as error:
            failures.append(str(error))
            continue
        index = _read(path, manifest, state)
        if index is not None:
            return index
    if compressed:
        raise InputError(
            f"{manifest}: too large to be read without an index, and {failures[0]}; or "
            "unpack it"
        )
    log.warning("no index is kept, so each process makes its own: %s", failures[0])
    return ManifestIndex(manifest, state, starts, durations, several, words)
