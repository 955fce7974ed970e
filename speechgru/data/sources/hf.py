"""Hugging Face `datasets` on disk, as `save_to_disk` leaves them.

Their Arrow files are not compressed: a recording is read in place. pyarrow reads them;
`datasets` itself is not needed.
"""

from collections.abc import Generator, Iterable, Iterator
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from speechgru.bounded import read_json
from speechgru.data.sources.arrow import (
    byte_ranges,
    find_audio_columns,
    import_pyarrow,
    named_errors,
    read_rows,
    split_audio,
)
from speechgru.data.sources.audio_tars import Recordings, unpack_audio
from speechgru.data.sources.columns import Columns
from speechgru.data.sources.reading import Reading
from speechgru.data.sources.tables import AudioTables
from speechgru.files import reason
from speechgru.interfaces import InputError, Utterance
from speechgru.records import show

if TYPE_CHECKING:
    import pyarrow

STATE, SPLITS = "state.json", "dataset_dict.json"
_REMEDY = "save the dataset anew"
END = b"\xff\xff\xff\xff\0\0\0\0"
"""Of a stream of Arrow."""


class HuggingFaceCorpus(AudioTables):
    """Splits that are datasets on disk: folders, or single .arrow files.

    The arguments are those of AudioTables.
    """

    kind: ClassVar[str] = "datasets"
    endings: ClassVar[str] = "/"

    def inputs(self, path: Path) -> Iterable[Path]:
        """The files of Arrow."""
        return _find_files(path)

    def translate(self, path: Path, reading: Reading) -> Iterator[Utterance]:
        """Read file by file, batch by batch."""
        first = 0
        for file in _find_files(path):
            read = self._read(file, first, reading)
            first += yield from named_errors(file, "a file of Arrow", read, _REMEDY)

    def _read(
        self, file: Path, first: int, reading: Reading
    ) -> Generator[Utterance, None, int]:
        """The utterances of a file, whose first row has a number; how many rows."""
        mapped, batches = _open(file)
        count = 0
        for batch in batches:
            columns = find_audio_columns(file, batch.schema, self.given)
            if not first + count:
                reading.say(f"{columns}; others are left out")
            contents, names = split_audio(batch, columns)
            holder, ranges = _locate(file, mapped, contents, columns, first + count)
            rows = read_rows(batch, names, columns, first + count)
            places = zip(repeat(holder), ranges.tolist())
            yield from self.to_utterances(file, rows, places, reading)
            count += batch.num_rows
        return count


def _find_files(path: Path) -> list[Path]:
    if path.suffix == ".arrow":
        return [path]
    if (path / SPLITS).exists():
        splits = sorted(each.name for each in path.iterdir() if (each / STATE).exists())
        raise InputError(
            f"{path}: several splits ({', '.join(splits)}), expected one; set e.g. "
            f"corpus.train={path / (splits[0] if splits else 'train')}"
        )
    try:
        state = read_json(path / STATE)
        names = [each["filename"] for each in state["_data_files"]]
        if state.get("_indices_files") or state.get("_indices_data_files"):
            raise InputError(
                f"{path}: a dataset with an index beside it, expected one without; "
                "save it anew with Dataset.flatten_indices().save_to_disk"
            )
    except (OSError, ValueError, LookupError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{path / STATE}: cannot be read ({reason(error)}), expected a folder that "
            "Dataset.save_to_disk has written; correct the path"
        ) from error
    for name in names:
        if not isinstance(name, str) or Path(name).name != name:
            raise InputError(
                f"{path / STATE}: names {show(name)}, expected files of its own "
                "folder; save the dataset anew"
            )
    return [path / name for name in names]


def _open(file: Path) -> tuple["pyarrow.Buffer", Iterator["pyarrow.RecordBatch"]]:
    """Map a file; a batch is a view of it unless it is compressed."""
    pa = import_pyarrow(file)
    mapped = pa.memory_map(str(file)).read_buffer()
    if mapped.size >= 6 and mapped[:6].to_pybytes() == b"ARROW1":
        table = pa.ipc.open_file(mapped)
        return mapped, (table.get_batch(i) for i in range(table.num_record_batches))
    if mapped[-len(END) :].to_pybytes() != END:
        raise OSError(0, "cut off")  # a stream without an end is taken as it is
    return mapped, iter(pa.ipc.open_stream(mapped))


def _locate(
    file: Path,
    mapped: "pyarrow.Buffer",
    contents: "pyarrow.Array",
    columns: Columns,
    first: int,
) -> tuple[Path, np.ndarray]:
    """Where the recordings of a batch lie: in the file, else in a tar of the cache."""
    ranges = byte_ranges(contents, mapped.address)
    ends = ranges.sum(axis=1)[ranges[:, 1] > 0]
    starts = ranges[:, 0][ranges[:, 1] > 0]
    if (starts >= 0).all() and (ends <= mapped.size).all():
        return file, ranges

    def recordings() -> Recordings:
        for content in contents:
            yield content.as_py(), None

    return unpack_audio(file, f"{columns.audio}\0{first}", recordings)
