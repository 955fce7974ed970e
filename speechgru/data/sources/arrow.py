"""Tables of Arrow that hold recordings, as Hugging Face `datasets` writes them.

A recording is a struct of `bytes`, a file as it is, and `path`, its name.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from speechgru.data.sources.columns import Columns, find_columns
from speechgru.files import reason
from speechgru.interfaces import InputError
from speechgru.records import get_number, show

if TYPE_CHECKING:
    import pyarrow

Item = TypeVar("Item")
Result = TypeVar("Result")

EXTRA = 'pip install "speechgru[hf]"'


@dataclass(frozen=True)
class Row:
    """What a row says of its recording.

    Attributes:
        number: of the row in its file, from 0 on.
        name: of the recording; None: it has none.
        id, speaker, text: as in an `Utterance`; None: not there.
        duration, offset: s; None: not there.
    """

    number: int
    name: str | None
    id: str | None
    text: str
    speaker: str | None
    duration: float | None
    offset: float | None


def import_pyarrow(path: Path) -> Any:
    """pyarrow. Raises InputError: it is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise InputError(
            f"{path}: cannot be read without pyarrow ({error}); run: {EXTRA}"
        ) from error
    return pyarrow


def named_errors(
    file: Path, kind: str, items: Generator[Item, None, Result], remedy: str
) -> Generator[Item, None, Result]:
    """Go through items of a file; what pyarrow raises becomes an InputError.

    Args:
        file: for messages.
        kind: of the file, e.g. "Parquet".
        items: read from the file when they are asked for.
        remedy: what to do.

    Returns:
        What the items end with.
    """
    try:
        return (yield from items)
    except InputError:
        raise
    except (OSError, ValueError, IndexError) as error:  # ArrowInvalid is a ValueError
        raise InputError(
            f"{file}: cannot be read ({reason(error)}), expected {kind}; {remedy}"
        ) from error


def find_audio_columns(
    path: Path, schema: "pyarrow.Schema", given: dict[str, str | None]
) -> Columns:
    """Find the columns of a table; that of the audio by its type.

    Raises:
        InputError: as `find_columns`; or none or several columns hold audio.
    """
    audio = given.get("audio")
    if audio is None:
        holding = [field.name for field in schema if _holds_audio(field.type)]
        if len(holding) != 1:
            raise InputError(
                f"{path}: {len(holding)} columns hold audio, expected one: a struct of "
                "bytes and path, as datasets writes it; set corpus.audio=COLUMN, or "
                "cast it by Dataset.cast_column"
            )
        audio = holding[0]
    elif audio in schema.names and not _holds_audio(schema.field(audio).type):
        raise InputError(
            f"{path}: column '{audio}' is {show(str(schema.field(audio).type))}, "
            "expected a struct of bytes and path, as datasets writes audio; cast it by "
            "Dataset.cast_column"
        )
    columns = find_columns(str(path), schema.names, {**given, "audio": audio})
    if not _is_string(schema.field(columns.text).type):
        raise InputError(
            f"{path}: column '{columns.text}' is {schema.field(columns.text).type}, "
            "expected texts; set corpus.text=COLUMN"
        )
    return columns


def other_columns(columns: Columns) -> list[str]:
    """Names of all columns but that of the audio."""
    named = (columns.text, columns.speaker, columns.id, columns.duration)
    return [name for name in (*named, columns.offset) if name is not None]


def split_audio(
    batch: "pyarrow.RecordBatch", columns: Columns
) -> tuple["pyarrow.Array", list[str | None]]:
    """The arrays of bytes and the names of a batch's recordings."""
    audio = batch.column(columns.audio)
    contents, names = audio.field("bytes"), audio.field("path")
    if audio.offset:
        contents, names = (
            each.slice(audio.offset, len(audio)) for each in (contents, names)
        )
    # Offsets of a stranger's values may lead anywhere.
    for each in (contents, names):
        each.validate(full=True)
    return contents, names.to_pylist()


def read_rows(
    batch: "pyarrow.RecordBatch",
    names: Sequence[str | None],
    columns: Columns,
    first: int,
) -> Iterator[Row | InputError]:
    """What the rows of a batch say, or what is wrong with one.

    Args:
        batch: with the columns but that of the audio.
        names: of the recordings.
        columns: of the table.
        first: number of the first row.
    """
    values = {}
    for name in other_columns(columns):
        batch.column(name).validate(full=True)
        values[name] = batch.column(name).to_pylist()
    for place in range(batch.num_rows):
        record = {name: column[place] for name, column in values.items()}
        try:
            yield _to_row(first + place, names[place], record, columns)
        except InputError as error:
            yield error


def byte_ranges(contents: "pyarrow.Array", base: int) -> np.ndarray:
    """Where the values of a sound array of bytes lie.

    Args:
        contents: (N,) binary or large_binary, validated.
        base: address from which bytes are counted.

    Returns:
        (N, 2) int64: first byte, and size; the size of a null is 0.
    """
    kind = np.int64 if str(contents.type).startswith("large") else np.int32
    validity, offsets_buffer, data = contents.buffers()
    if len(contents) == 0 or data is None:
        return np.zeros((len(contents), 2), np.int64)
    offsets = np.frombuffer(offsets_buffer, kind)[contents.offset :]
    offsets = offsets[: len(contents) + 1].astype(np.int64)
    sizes = np.diff(offsets)
    if validity is not None:
        sizes[~np.asarray(contents.is_valid())] = 0
    return np.stack([offsets[:-1] + (data.address - base), sizes], axis=1)


def name_recording(row: Row) -> str:
    """The id of a row: its own, the name of its recording, or its number."""
    if row.id is not None:
        return row.id
    if row.name:
        return PurePosixPath(row.name).stem
    return f"row-{row.number}"


def _to_row(
    number: int, name: str | None, record: dict[str, Any], columns: Columns
) -> Row:
    text = record[columns.text]
    if text is None:
        raise InputError(
            f"row {number}: no text in column '{columns.text}', expected one; drop it"
        )

    def get(column: str | None) -> str | None:
        value = None if column is None else record[column]
        return None if value is None or value == "" else str(value)

    def seconds(column: str | None) -> float | None:
        if column is None or record[column] is None:
            return None
        try:
            return get_number(record, column, "a number of seconds")
        except InputError as error:
            raise InputError(f"row {number}: {error}") from error

    return Row(
        number=number,
        name=name,
        id=get(columns.id),
        text=text,
        speaker=get(columns.speaker),
        duration=seconds(columns.duration),
        offset=seconds(columns.offset),
    )


def _holds_audio(kind: Any) -> bool:
    try:
        contents, name = kind.field("bytes"), kind.field("path")
    except (AttributeError, KeyError, TypeError):
        return False
    return str(contents.type) in ("binary", "large_binary") and _is_string(name.type)


def _is_string(kind: Any) -> bool:
    return str(kind) in ("string", "large_string")
