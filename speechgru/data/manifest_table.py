"""The utterances of a large manifest, whose lines are read when they are asked for."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from speechgru.data.file_numbers import FileNumbers
from speechgru.data.manifest import parse_utterance, read_manifest
from speechgru.data.manifest_index import open_index
from speechgru.data.utterances import View
from speechgru.files import file_state, reason
from speechgru.interfaces import InputError, Utterance
from speechgru.remote import locate
from speechgru.text.word_counts import WordCounts

LARGE = 4 << 20
"""Bytes from which on a manifest is not held in memory: some 20,000 utterances."""

_BLOCK = 1 << 20  # bytes that are read at once when all utterances are asked for


def open_manifest(path: str | os.PathLike[str]) -> Sequence[Utterance]:
    """Open and check a manifest of any size.

    A small one is read. Of a large one an index is made when it is first opened, and
    each utterance is read from the disk when it is asked for: the memory that it
    takes is small, and shared by all processes.

    Raises:
        InputError: as `read_manifest`; or it changes while it is in use.
    """
    path = Path(path)
    large = path.is_file() and path.stat().st_size > LARGE
    return ManifestTable(path) if large else read_manifest(path)


class ManifestTable(View):
    """The utterances of a manifest, by their number.

    Args:
        path: of the manifest.

    Raises:
        InputError: it cannot be read, has bad lines, or changes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._index = open_index(path)
        self._file = os.open(self._index.lines, os.O_RDONLY)
        self._check()

    def __del__(self) -> None:
        """Close the file."""
        file = getattr(self, "_file", None)
        if file is not None:
            os.close(file)

    def __reduce__(self) -> tuple[type["ManifestTable"], tuple[Path]]:
        """Another process opens it anew; what is mapped is shared with it."""
        return ManifestTable, (self._path,)

    def __len__(self) -> int:
        """Number of utterances."""
        return len(self._index.durations)

    @property
    def durations(self) -> NDArray[np.float64]:
        """(N,) s."""
        return self._index.durations

    @property
    def words(self) -> WordCounts | None:
        """Of all texts; None: there are too many."""
        return self._index.words

    @property
    def files(self) -> FileNumbers | None:
        """That they lie in; None: one has a file of its own."""
        names = self._index.paths
        if names is None:
            return FileNumbers.find(self)
        folder = self._path.parent
        paths = [locate(name, folder) for name in names]
        return FileNumbers.of(paths, self._index.files) if paths else None

    def __iter__(self) -> Iterator[Utterance]:
        """One after the other, read in large blocks."""
        starts = self._index.starts
        first = 0
        while first < len(self):
            enough = starts[first] + _BLOCK
            stop = max(first + 1, int(np.searchsorted(starts, enough, "right")) - 1)
            block = self._read(first, stop)
            begin = int(starts[first])
            places = (starts[first : stop + 1] - begin).tolist()
            for index, place in enumerate(places[:-1]):
                yield self._parse(block[place : places[index + 1]], first + index)
            first = stop

    def _get(self, index: int) -> Utterance:
        return self._parse(self._read(index, index + 1), index)

    def _read(self, first: int, stop: int) -> bytes:
        """The lines of the utterances from `first` to `stop`."""
        self._check()
        start, end = (int(self._index.starts[index]) for index in (first, stop))
        try:
            content = os.pread(self._file, end - start, start)
        except OSError as error:
            raise InputError(
                f"{self._path}: cannot be read ({reason(error)}), expected a manifest; "
                "check the disk, and start again"
            ) from error
        if len(content) < end - start - 1:  # the last line may lack its end
            raise self._changed()
        return content

    def _parse(self, line: bytes, index: int) -> Utterance:
        try:
            return parse_utterance(line, self._path.parent)
        except InputError as error:
            raise self._changed() from error

    def _check(self) -> None:
        """Raise InputError: the file is not the one that was indexed."""
        if file_state(self._file) != self._index.state:
            raise self._changed()

    def _changed(self) -> InputError:
        return InputError(
            f"{self._path}: has changed since it was opened, expected to stay as it "
            "was; start again, and write a new manifest instead of changing one that "
            "is in use"
        )
