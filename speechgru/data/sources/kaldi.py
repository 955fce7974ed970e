"""Kaldi's data folders: wav.scp, text, and segments, utt2spk, durations if there.

Source: https://kaldi-asr.org/doc/data_prep.html. An utterance whose speaker has its
own name has none: that is what Kaldi says where nobody is known.
"""

from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import ClassVar

from speechgru.data.sources.reading import Reading
from speechgru.data.sources.roots import RootedSource
from speechgru.data.sources.scp import find_wave, read_recordings, read_table
from speechgru.interfaces import InputError, Utterance
from speechgru.records import show

FILES = ("wav.scp", "text", "segments", "utt2spk", "utt2dur", "reco2dur")
_MOST_SECONDS = 1e9
_ROUNDING = 1e-6  # s

Segment = tuple[str, float, float | None]
"""Recording, start and end, s; None: to the end of the recording."""


class KaldiCorpus(RootedSource):
    """Splits that are data folders.

    A command of wav.scp is never run. One that only decodes a file, by flac, sph2pipe
    or cat, is that file; `speechgru convert trust_pipes=true` runs the others.

    Args:
        name, train, dev, test: as in `SplitSource`.
        root: where relative paths in wav.scp begin; None: at the working directory, the
            data folder, or the one two above it, wherever the first recording is.
    """

    kind: ClassVar[str] = "data folders"
    endings: ClassVar[str] = "/"

    def inputs(self, path: Path) -> Iterable[Path]:
        """The files of the folder that are read."""
        return [path / name for name in FILES]

    def translate(self, path: Path, reading: Reading) -> Iterator[Utterance]:
        """Read the folder; whatever is in one of its files only is a mistake."""
        recordings = read_recordings(path, self.root, reading)
        texts = read_table(path / "text", reading)
        speakers = _read_optional(path / "utt2spk", reading)
        durations = _read_durations(path / "utt2dur", reading)
        lengths = _read_durations(path / "reco2dur", reading)
        segments = _read_segments(path, recordings, reading)
        spans = {} if segments is None else segments
        for id, text in texts.items():
            source = recordings.get(id if segments is None else spans.get(id, ("",))[0])
            if source is None:
                where = "wav.scp" if segments is None else "segments"
                reading.add_problem(
                    f"{path}: utterance '{id}' has a text but is not in {where}, "
                    "expected both; run utils/fix_data_dir.sh"
                )
                continue
            recording, start, end = spans.get(id, (id, None, None))
            try:
                part = None if source.start is None else find_wave(source)
                audio = Utterance("", source.path, 0.0, "", byte_range=part).audio
                known = durations.get(id)
                if end is not None:
                    duration = end - (start or 0.0)
                    if known is not None and abs(known - duration) < _ROUNDING:
                        duration = known  # where a difference has lost its last digits
                elif known is not None:
                    duration = known
                else:
                    length = lengths.get(recording)
                    duration = reading.measure(audio) if length is None else length
                    duration -= start or 0.0
            except InputError as error:
                reading.add_problem(error)
                continue
            is_whole = end is None and not start
            speaker = speakers.get(id)
            yield Utterance(
                id=id,
                audio_path=source.path,
                duration=duration,
                text=text,
                speaker=None if speaker == id else speaker,
                offset=start or 0.0,
                partial=not is_whole,
                byte_range=part,
            )
        for id in recordings if segments is None else segments:
            if id not in texts:
                reading.add_problem(
                    f"{path}: utterance '{id}' has no text, expected one; run "
                    "utils/fix_data_dir.sh"
                )


def _read_optional(path: Path, reading: Reading) -> dict[str, str]:
    return read_table(path, reading) if path.exists() else {}


def _read_durations(path: Path, reading: Reading) -> dict[str, float]:
    durations = {}
    for name, value in _read_optional(path, reading).items():
        seconds = _to_seconds(value)
        if seconds is None or seconds <= 0:
            reading.add_problem(
                f"{path}: {name}: duration is {show(value)}, expected s above 0; "
                "correct the line"
            )
            continue
        durations[name] = seconds
    return durations


def _read_segments(
    folder: Path, recordings: Container[str], reading: Reading
) -> dict[str, Segment] | None:
    path = folder / "segments"
    if not path.exists():
        return None
    segments: dict[str, Segment] = {}
    for name, value in read_table(path, reading).items():
        segment = _to_segment(value)
        if segment is None:
            reading.add_problem(
                f"{path}: {name}: {show(value)}, expected RECORDING START END in s, "
                "the end behind the start, and no channel; correct the line"
            )
        elif segment[0] not in recordings:
            reading.add_problem(
                f"{path}: {name}: its recording '{segment[0]}' is not in wav.scp; run "
                "utils/fix_data_dir.sh"
            )
        else:
            segments[name] = segment
    return segments


def _to_segment(value: str) -> Segment | None:
    recording, *times = value.split() or [""]
    if len(times) != 2:
        return None
    start, end = map(_to_seconds, times)
    if start is None or end is None or start < 0:
        return None
    if end == -1:  # Kaldi's word for the end of the recording
        return recording, start, None
    return (recording, start, end) if end > start else None


def _to_seconds(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if -_MOST_SECONDS < value < _MOST_SECONDS else None
