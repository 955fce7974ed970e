"""Parquet with a column of recordings, as the Hugging Face Hub serves it.

Parquet is compressed: the recordings are taken out of it once, into the cache.
"""

from collections.abc import Generator, Iterable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from speechgru.data.folder import find_paths
from speechgru.data.sources.arrow import (
    find_audio_columns,
    import_pyarrow,
    named_errors,
    other_columns,
    read_rows,
    split_audio,
)
from speechgru.data.sources.audio_tars import Recordings, unpack_audio
from speechgru.data.sources.braces import expand_braces
from speechgru.data.sources.columns import Columns
from speechgru.data.sources.reading import Reading
from speechgru.data.sources.tables import AudioTables
from speechgru.files import reason
from speechgru.interfaces import InputError, Utterance
from speechgru.progress import Progress
from speechgru.remote import address_of

_REMEDY = "copy the file again"

BATCH = 64
"""Rows at a time; a group of rows is decompressed as a whole all the same."""


class ParquetCorpus(AudioTables):
    """Splits that are Parquet files: one, a folder, or several by * and braces.

    The arguments are those of AudioTables.
    """

    endings: ClassVar[str] = ".parquet"

    def remote_files(self, path: Path) -> Iterable[Path]:
        """The files that braces name."""
        return [path.with_name(name) for name in expand_braces(path.name)]

    def inputs(self, path: Path) -> Iterable[Path]:
        """The files, and the tars that their recordings are in."""
        for file in _find_files(path):
            yield file
            yield self._unpack(file)[0]

    def translate(self, path: Path, reading: Reading) -> Iterator[Utterance]:
        """Read file by file, batch by batch."""
        first = 0
        for file in _find_files(path):
            columns = self._columns(file)
            tar, ranges = self._unpack(file)
            if not first:
                reading.say(f"{columns}; others are left out")
            places = zip(repeat(tar), ranges.tolist())
            rows = self._rows(file, columns, first)
            yield from self.to_utterances(file, rows, places, reading)
            first += len(ranges)

    def _rows(self, file: Path, columns: Columns, first: int) -> Iterator[Any]:
        def read() -> Generator[Any, None, None]:
            count = first
            for batch in _read(file, [*other_columns(columns), columns.audio]):
                _, names = split_audio(batch, columns)
                yield from read_rows(batch, names, columns, count)
                count += batch.num_rows

        return named_errors(file, "Parquet", read(), _REMEDY)

    def _columns(self, file: Path) -> Columns:
        return find_audio_columns(file, _open(file).schema_arrow, self.given)

    def _unpack(self, file: Path) -> tuple[Path, np.ndarray]:
        columns = self._columns(file)

        def recordings() -> Recordings:
            total = _open(file).metadata.num_rows
            with Progress(f"unpacking {file.name}", total, "recordings") as progress:
                for batch in _read(file, [columns.audio]):
                    contents, names = split_audio(batch, columns)
                    for content, name in zip(contents, names, strict=True):
                        yield content.as_py(), name
                        progress.advance()

        return unpack_audio(file, columns.audio, recordings)


def _find_files(path: Path) -> list[Path]:
    if address_of(path) is not None:
        return [path.with_name(name) for name in expand_braces(path.name)]
    folder, name = (path, "*.parquet") if path.is_dir() else (path.parent, path.name)
    if not folder.is_dir():  # it is a pattern, too
        folder, name = Path(), str(path)
    names = [
        found
        for each in ([name] if path.is_file() else expand_braces(name))
        for found in _glob(folder, each)
    ]
    if not names:
        raise InputError(
            f"{path}: no such file, expected Parquet, or a folder of it; correct the "
            "path"
        )
    return [Path(name) for name in names]


def _glob(folder: Path, pattern: str) -> list[str]:
    return find_paths(pattern, folder) if "*" in pattern else [str(folder / pattern)]


def _open(file: Path) -> Any:
    pa = import_pyarrow(file)
    try:
        return pa.parquet.ParquetFile(file)
    except (OSError, ValueError) as error:  # ArrowInvalid is a ValueError
        raise InputError(
            f"{file}: cannot be read ({reason(error)}), expected Parquet; {_REMEDY}"
        ) from error


def _read(file: Path, columns: list[str]) -> Iterator[Any]:
    batches = _open(file).iter_batches(BATCH, columns=columns)
    return named_errors(file, "Parquet", batches, _REMEDY)
