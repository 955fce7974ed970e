"""What tables with recordings in them have in common, in whatever file they lie."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from speechgru.data.sources.arrow import Row, name_recording
from speechgru.data.sources.reading import Reading
from speechgru.data.sources.splits import Place, TranslatedSource
from speechgru.interfaces import InputError, Utterance
from speechgru.remote import locate


class AudioTables(TranslatedSource):
    """Splits that are tables with a column of recordings.

    Args:
        name, train, dev, test: as in `SplitSource`.
        audio, text, speaker, id, duration, offset: names of columns; None: guessed by
            their types and what they are usually called, and said; "none": there is
            none.
    """

    kind: ClassVar[str] = "tables"

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
    ) -> None:
        self.given = {
            "audio": audio,
            "text": text,
            "speaker": speaker,
            "id": id,
            "duration": duration,
            "offset": offset,
        }
        super().__init__(name, train, dev, test, **self.given)

    def to_utterances(
        self,
        file: Path,
        rows: Iterator[Row | InputError],
        places: Iterator[tuple[Path, Any]],
        reading: Reading,
    ) -> Iterator[Utterance]:
        """Join rows to their recordings.

        Args:
            file: of the rows.
            rows: what each says, or what is wrong with it.
            places: for each the file that holds its recording, and first byte and size
                in it; of size 0: the row only names the recording.
            reading: takes what is wrong.
        """
        for row, (holder, (start, size)) in zip(rows, places, strict=True):
            if isinstance(row, InputError):
                reading.add_problem(f"{file}: {row}")
                continue
            try:
                if not size and not row.name:
                    raise InputError(
                        f"row {row.number}: no audio, expected bytes or a path; drop it"
                    )
                path = holder if size else locate(str(row.name), file.parent)
                utterance = Utterance(
                    id=name_recording(row),
                    audio_path=path,
                    duration=0.0,
                    text=row.text,
                    speaker=row.speaker,
                    offset=row.offset or 0.0,
                    partial=row.offset is not None,
                    byte_range=(int(start), int(size)) if size else None,
                )
                yield self._with_duration(utterance, row, reading)
            except InputError as error:
                reading.add_problem(f"{file}: {error}")

    def _with_duration(
        self, utterance: Utterance, row: Row, reading: Reading
    ) -> Utterance:
        duration = row.duration
        if duration is None:
            duration = reading.measure(utterance.audio) - utterance.offset
        return replace(utterance, duration=duration)
