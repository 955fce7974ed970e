"""Lhotse's cuts as JSON: what of them is an utterance, and what cannot be one.

Source: https://lhotse.readthedocs.io/en/latest/cuts.html.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from speechgru.interfaces import InputError
from speechgru.records import check_keys, get_name, get_number, get_seconds, get_text

EDGE = 0.05
"""s that a supervision may reach out of its cut: what rounding leaves."""

TOLD = ("language", "gender", "alignment", "custom")
"""Of a supervision, what an utterance does not hold."""


@dataclass(frozen=True)
class SourceFile:
    """What a recording is made of.

    Attributes:
        kind: "file", "url" or "shar".
        place: a path or an address; "" in Shar.
    """

    kind: str
    place: str


@dataclass(frozen=True)
class Cut:
    """A cut of one recording with one supervision.

    Attributes:
        id, text, speaker: as in an `Utterance`.
        start, duration: s, in the recording.
        is_whole: whether it is all of the recording.
        source: where the recording is.
        left_out: names of what it has that an utterance does not hold.
    """

    id: str
    text: str
    speaker: str | None
    start: float
    duration: float
    is_whole: bool
    source: SourceFile
    left_out: tuple[str, ...]


def read_cut(record: Mapping[str, Any], recording: Mapping[str, Any] | None) -> Cut:
    """Check a cut.

    Args:
        record: as lhotse writes it.
        recording: as Shar keeps it apart; None: it is in the record.

    Raises:
        InputError: it is no cut, or one that is more than a part of a recording of one
            channel with its text.
    """
    check_keys(record, ("id", "start", "duration", "supervisions"))
    kind = record.get("type", "MonoCut")
    if kind not in ("MonoCut", "Cut"):
        raise InputError(
            f"a {kind}, expected a MonoCut; write its audio as one recording, by "
            "CutSet.save_audios"
        )
    recording = recording or record.get("recording")
    if not isinstance(recording, Mapping):
        raise InputError(
            "a cut without a recording, expected one: features are not read; add the "
            "recordings to the cuts"
        )
    source, length, rate = _read_recording(recording)
    start, duration = get_seconds(record, "start"), get_seconds(record, "duration")
    if start < 0 or duration <= 0:
        raise InputError(
            f"start is {start:g} and duration {duration:g} s, expected 0 or more, and "
            "more than 0; correct the line"
        )
    supervision = _only_supervision(record["supervisions"], duration)
    left_out = [key for key in TOLD if supervision.get(key)]
    left_out += ["custom"] if record.get("custom") else []
    left_out += ["features"] if record.get("features") else []
    for each in (record, supervision):
        _check_custom(each.get("custom"))
    return Cut(
        id=_get_id(record),
        text=get_text(supervision, "text"),
        speaker=get_name(supervision, "speaker"),
        start=start,
        duration=duration,
        is_whole=start == 0 and abs(duration - length) * rate < 1.5,
        source=source,
        left_out=tuple(dict.fromkeys(left_out)),
    )


def _get_id(record: Mapping[str, Any]) -> str:
    id = get_name(record, "id")
    if id is None:
        raise InputError("id is empty, expected one; correct the line")
    return id


def _channels(source: Mapping[str, Any]) -> list[Any]:
    channels = source.get("channels") or [0]
    if not isinstance(channels, list):
        raise InputError(
            f"channels of a source is {channels!r}, expected a list; correct the line"
        )
    return channels


def _read_recording(recording: Mapping[str, Any]) -> tuple[SourceFile, float, float]:
    """Source, length in s, rate in Hz."""
    check_keys(recording, ("sources", "sampling_rate", "duration"))
    if recording.get("transforms"):
        raise InputError(
            "a recording that is transformed when it is loaded, expected one as it "
            "is; write its audio, by CutSet.save_audios"
        )
    sources = recording["sources"]
    if not isinstance(sources, list) or not all(isinstance(s, dict) for s in sources):
        raise InputError("sources is no list of sources; correct the line")
    channels = [each for s in sources for each in _channels(s)]
    if len(channels) != 1:
        raise InputError(
            f"a recording of {len(channels)} channels, expected one; write one channel "
            "of its audio, by CutSet.save_audios"
        )
    kind, place = sources[0].get("type"), sources[0].get("source")
    if kind not in ("file", "url", "shar") or not isinstance(place, str):
        raise InputError(
            f"a source of type {kind!r}, expected a file: commands are not run, and "
            "audio in memory is not read; write its audio, by CutSet.save_audios"
        )
    rate = get_number(recording, "sampling_rate", "a number of Hz")
    return SourceFile(kind, place), get_seconds(recording, "duration"), rate


def _only_supervision(supervisions: Any, duration: float) -> Mapping[str, Any]:
    if not isinstance(supervisions, list) or len(supervisions) != 1:
        count = len(supervisions) if isinstance(supervisions, list) else "no"
        raise InputError(
            f"{count} supervisions, expected one; make cuts of them, by "
            "CutSet.trim_to_supervisions, and drop those without"
        )
    supervision = supervisions[0]
    if not isinstance(supervision, Mapping):
        raise InputError("a supervision is no object; correct the line")
    check_keys(supervision, ("start", "duration"))
    start = get_seconds(supervision, "start")
    end = start + get_seconds(supervision, "duration")
    if start < -EDGE or end > duration + EDGE:
        raise InputError(
            f"its text was said from {start:g} to {end:g} s, expected within the cut, "
            f"0 to {duration:g} s; make cuts by CutSet.trim_to_supervisions"
        )
    if supervision.get("text") is None:
        raise InputError("a supervision without text, expected one; drop the cut")
    return supervision


def _check_custom(custom: Any) -> None:
    """Refuse arrays and recordings, which would be lost without a trace."""
    for key, value in custom.items() if isinstance(custom, Mapping) else ():
        if isinstance(value, Mapping) and {"array", "storage_type", "sources"} & {
            *value
        }:
            raise InputError(
                f"custom data '{key}', expected none but plain values: arrays and "
                "other recordings are not read; drop it, by CutSet.drop_custom"
            )
