"""What a large manifest holds, found out once: where its lines are, and how long.

The index of `train.jsonl` is `train.jsonl.index` beside it, or, where that folder
cannot be written, a file of the user's cache. It is made anew when the manifest has
another size or time than it says, or when it has not the checksum that it ends with.
It begins with a line of JSON; arrays follow, which are mapped into memory and thereby
shared by all processes.
"""

import hashlib
import json
import logging
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from speechgru.cache import cache_folder
from speechgru.data.file_numbers import Numbers
from speechgru.data.manifest_lines import Collector, is_compressed, read_blocks
from speechgru.files import file_state, reason, replace_by_parts, to_json
from speechgru.interfaces import InputError
from speechgru.progress import Progress
from speechgru.text.word_counts import WordCounts

log = logging.getLogger(__name__)

_SCHEMA = 2
_HEADER_SIZE = 4096  # bytes, a page, so that the arrays behind it are aligned
_BLOCK = 1 << 20  # bytes that are read at once to be checked
_WHOLE = 0x2144DF1C  # CRC-32 of whatever ends with its own
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
        files: (N,) int32, numbers of the files that utterances lie in, if `paths`
            names any.
        several: whether any text has more than one word.
        raw_paths: JSON, those files, read when they are asked for; empty: there are
            too many.
        raw_words: JSON, how often each word occurs, too; empty: there are too many.
    """

    lines: Path
    state: tuple[int, int]
    starts: NDArray[np.int64]
    durations: NDArray[np.float64]
    files: Numbers
    several: bool
    raw_paths: bytes | memoryview
    raw_words: bytes | memoryview

    @cached_property
    def words(self) -> WordCounts | None:
        """Of all texts; None: there are too many."""
        if not self.raw_words:
            return None
        return WordCounts(orjson.loads(self.raw_words), self.several)

    @cached_property
    def paths(self) -> list[str] | None:
        """Files that hold many utterances, as the manifest names them.

        Empty: an utterance has a file of its own; None: there are too many.
        """
        return orjson.loads(self.raw_paths) if self.raw_paths else None


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
            page = file.read(_HEADER_SIZE)
            header = json.loads(page)
            known = header["schema"], (header["size"], header["modified"])
            if known != (_SCHEMA, state):
                return None
            checksum = zlib.crc32(page)
            while block := file.read(_BLOCK):
                checksum = zlib.crc32(block, checksum)
            if checksum != _WHOLE:
                raise ValueError("it has not the checksum that it ends with")
            return _map(path, file_state(file.fileno()), header, manifest, state)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        log.warning("%s: is damaged (%s), is made anew", path, error)
        return None


def _map(
    path: Path,
    own: tuple[int, int],
    header: dict[str, Any],
    manifest: Path,
    state: tuple[int, int],
) -> ManifestIndex:
    """Map the columns of an index. Raises ValueError: they are none."""
    place = _HEADER_SIZE

    def column(kind: type[np.generic], count: int) -> np.ndarray:
        nonlocal place
        start, place = place, place + count * np.dtype(kind).itemsize
        if not count:
            return np.empty(0, kind)
        return np.memmap(path, kind, "r", start, (count,))

    count = header["utterances"]
    starts, durations = column(np.int64, count + 1), column(np.float64, count)
    files = column(np.int32, header["filed"])
    paths = column(np.uint8, header["path_bytes"])
    words = column(np.uint8, header["word_bytes"])
    within = header["line_bytes"] > 0
    last = own[0] if within else state[0] + 1  # the last line may lack its end
    if starts[0] < 0 or starts[-1] > last or (np.diff(starts) <= 0).any():
        raise ValueError("its lines do not follow one another")
    return ManifestIndex(
        path if within else manifest,
        own if within else state,
        starts,
        durations,
        files,
        header["several"],
        paths.data,
        words.data,
    )


def _make(manifest: Path, state: tuple[int, int]) -> ManifestIndex:
    collector = Collector(manifest)
    num_bytes = 0
    compressed = is_compressed(manifest)
    total = None if compressed else state[0] / _MB
    with Progress(f"indexing {manifest.name}", total, "MB") as progress:
        for start, lines in read_blocks(manifest):
            collector.add(start, lines)
            size = sum(map(len, lines))
            num_bytes += size + len(lines)
            progress.advance(size / _MB)
    _check_unchanged(manifest, state)
    found = collector.finish()
    starts = found.starts
    if compressed:
        starts = starts + (_HEADER_SIZE + found.num_bytes)
    header = {
        "schema": _SCHEMA,
        "size": state[0],
        "modified": state[1],
        "utterances": len(found.durations),
        "filed": len(found.files),
        "several": found.several,
        "path_bytes": len(found.paths),
        "word_bytes": len(found.words),
        "line_bytes": num_bytes if compressed else 0,
    }

    def parts() -> Iterator[bytes | memoryview]:
        yield to_json(header).ljust(_HEADER_SIZE - 1) + b"\n"
        for column in (starts, found.durations, found.files):
            yield column.data.cast("B") if len(column) else b""
        yield from (found.paths, found.words)
        if compressed:
            for _, lines in read_blocks(manifest):
                yield from (b"\n".join(lines), b"\n")

    failures = []
    for path in _places(manifest):
        try:
            replace_by_parts(path, _end_with_checksum(parts()))
        except InputError as error:
            failures.append(str(error))
            continue
        _check_unchanged(manifest, state)  # the lines were read once more
        index = _read(path, manifest, state)
        if index is not None:
            return index
    if compressed:
        raise InputError(
            f"{manifest}: too large to be read without an index, and {failures[0]}; or "
            "unpack it"
        )
    log.warning("no index is kept, so each process makes its own: %s", failures[0])
    return ManifestIndex(
        manifest,
        state,
        found.starts,
        found.durations,
        found.files,
        found.several,
        found.paths,
        found.words,
    )


def _check_unchanged(manifest: Path, state: tuple[int, int]) -> None:
    if file_state(manifest) != state:
        raise InputError(
            f"{manifest}: changed while it was read, expected to stay as it was; wait "
            "until it is written, and start again"
        )


def _end_with_checksum(
    parts: Iterable[bytes | memoryview],
) -> Iterator[bytes | memoryview]:
    checksum = 0
    for part in parts:
        checksum = zlib.crc32(part, checksum)
        yield part
    yield checksum.to_bytes(4, "little")
