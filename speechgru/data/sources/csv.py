"""Tables of recordings and texts: CSV, TSV and the like."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path, PurePath
from typing import Any, ClassVar

from speechgru.audio import AudioError
from speechgru.data.manifest import check_path
from speechgru.data.sources.columns import Columns, find_columns, show_names
from speechgru.data.sources.lines import read_numbered
from speechgru.data.sources.reading import Reading
from speechgru.data.sources.splits import Place, TranslatedSource
from speechgru.interfaces import InputError, Utterance
from speechgru.ranges import OptionError
from speechgru.records import MOST_NUMBER, show
from speechgru.remote import address_of, locate

DELIMITERS = ("\t", ",", ";", "|")


class CsvCorpus(TranslatedSource):
    """Splits that are tables, of one utterance a line.

    Args:
        name, train, dev, test: as in `SplitSource`.
        audio, text, speaker, id, duration, offset: names of columns; None: guessed
            by what they are usually called, and said; "none": there is none.
        columns: names of all columns, of a table without a first line of them.
        audio_folder: where relative paths begin; None: the folder of the table.
        delimiter: between columns; None: the one that its first line has most of.
        quotes: whether " around a column protects what is in it; None: unless the
            delimiter is a tab.
        encoding: of the table.
    """

    kind: ClassVar[str] = "tables"
    endings: ClassVar[str] = ".csv"

    def __init__(
        self,
        name: str,
        train: Place,
        dev: Place,
        test: Place,
        audio: str | None = None,
        text: str | None = None,
        speaker: str | None = None,
        id: str | None = None,
        duration: str | None = None,
        offset: str | None = None,
        columns: Sequence[str] | None = None,
        audio_folder: str | None = None,
        delimiter: str | None = None,
        quotes: bool | None = None,
        encoding: str = "utf-8",
    ) -> None:
        given = {
            "audio": audio,
            "text": text,
            "speaker": speaker,
            "id": id,
            "duration": duration,
            "offset": offset,
        }
        self.columns = None if columns is None else _check_names(columns)
        self.audio_folder = None if audio_folder is None else locate(audio_folder)
        super().__init__(
            *(name, train, dev, test),
            **given,
            columns=self.columns,
            audio_folder=str(self.audio_folder and self.audio_folder.absolute()),
            delimiter=delimiter,
            quotes=quotes,
            encoding=encoding,
        )
        self.given: dict[str, str | None] = given
        self.delimiter = _check_delimiter(delimiter)
        self.quotes = quotes
        self.encoding = _check_encoding(encoding)

    def remote_files(self, path: Path) -> Iterable[Path]:
        """The table."""
        return [path]

    def inputs(self, path: Path) -> Iterable[Path]:
        """The table."""
        return [path]

    def translate(self, path: Path, reading: Reading) -> Iterator[Utterance]:
        """Read the table line by line."""
        rows = self._rows(path)
        if self.columns is None:
            _, first = next(rows, (0, []))
            header = [name.strip() for name in first]
            if len(set(header)) < len(header):
                raise InputError(
                    f"{path}:1: a column occurs twice among {show_names(header)}, "
                    "expected other names; set corpus.columns if it is no line of names"
                )
        else:
            header = self.columns
        columns = find_columns(str(path), header, self.given)
        reading.say(f"{columns}; others are left out")
        for number, row in rows:
            place = f"{reading.path}:{number}"
            try:
                if len(row) != len(header):
                    raise InputError(
                        f"{place}: {len(row)} columns, expected {len(header)}; correct "
                        "the line, or set corpus.delimiter or corpus.quotes"
                    )
                record = dict(zip(header, row, strict=True))
                utterance = self._to_utterance(record, columns, path, reading)
            except InputError as error:
                told = str(error)
                reading.add_problem(
                    told if told.startswith(place) else f"{place}: {told}"
                )
                continue
            yield utterance

    def _to_utterance(
        self, record: dict[str, str], columns: Columns, path: Path, reading: Reading
    ) -> Utterance:
        name = record[columns.audio].strip()
        check_path(f"column '{columns.audio}'", name)
        audio_path = locate(name, self.audio_folder or path.parent)
        offset = _seconds(record, columns.offset, least=0)
        duration = _seconds(record, columns.duration, least=1e-9)
        if duration is None:
            duration = self._measure(audio_path, name, path, reading) - (offset or 0)
        default_id = PurePath(name).with_suffix("").as_posix()
        if offset is not None:
            default_id += f"#{offset:g}"
        return Utterance(
            id=(columns.id and record[columns.id].strip()) or default_id,
            audio_path=audio_path,
            duration=duration,
            text=record[columns.text].strip(),
            speaker=(columns.speaker and record[columns.speaker].strip()) or None,
            offset=offset or 0.0,
            partial=offset is not None,
        )

    def _measure(
        self, audio_path: Path, name: str, path: Path, reading: Reading
    ) -> float:
        try:
            return reading.measure(audio_path)
        except AudioError as error:
            folder = self.audio_folder or path.parent
            is_whole = PurePath(name).is_absolute() or "://" in name
            if error.kind != "missing" or is_whole:
                raise
            raise InputError(
                f"{error}; or set corpus.audio_folder, if paths do not begin in "
                f"{address_of(folder) or folder}"
            ) from error

    def _rows(self, path: Path) -> Iterator[tuple[int, list[str]]]:
        """Rows with the number of the line that each begins on."""
        lines = read_numbered(path, "a table", self.encoding)
        first = next(lines, None)
        if first is None:
            return
        delimiter = self.delimiter or max(DELIMITERS, key=first[1].count)
        quotes = delimiter != "\t" if self.quotes is None else self.quotes
        options: dict[str, Any] = {"delimiter": delimiter, "strict": True}
        if not quotes:
            options |= {"quoting": csv.QUOTE_NONE, "quotechar": None}
        for number, line in chain([first], lines):
            if not line.strip():
                continue
            try:
                # Alone: behind a quote that nobody closed all else would be text.
                rows = list(csv.reader([line], **options))
            except csv.Error as error:
                raise InputError(
                    f"{path}:{number}: not a line of a table ({error}), expected "
                    'quotes to be closed, and "" for one within; correct it, or set '
                    "corpus.quotes=false if quotes are only characters"
                ) from error
            yield number, rows[0]


def _seconds(record: dict[str, str], column: str | None, least: float) -> float | None:
    """A number of a column; None where it has none."""
    if column is None or not record[column].strip():
        return None
    try:
        value = float(record[column])
    except ValueError:
        value = float("nan")
    if not least <= value < MOST_NUMBER:
        raise InputError(
            f"column '{column}' is {show(record[column])}, expected a number of "
            "seconds; correct the line, or set corpus.duration or corpus.offset"
        )
    return value


def _check_names(columns: Any) -> list[str]:
    is_list = isinstance(columns, (list, tuple))
    if not is_list or not all(isinstance(name, str) for name in columns):
        raise OptionError(f"columns is {columns!r}, expected a list of names")
    return list(columns)


def _check_delimiter(delimiter: str | None) -> str | None:
    named = {"tab": "\t", "\\t": "\t"}.get(delimiter or "", delimiter)
    if named is not None and (len(named) != 1 or named in '"\r\n'):
        raise OptionError(f"delimiter is {delimiter!r}, expected one character, or tab")
    return named


def _check_encoding(encoding: str) -> str:
    try:
        is_known = "\n".encode(encoding) == b"\n"
    except (LookupError, UnicodeError, TypeError):
        is_known = False
    if not is_known:
        raise OptionError(
            f"encoding is {encoding!r}, expected one such as utf-8, cp1252 or latin-1"
        )
    return encoding
