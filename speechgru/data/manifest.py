"""Manifests: JSON Lines in the NeMo convention, one utterance a line.

    {"audio_filepath": "wav/a.wav", "duration": 2.5, "text": "GO"}

`audio_filepath` is absolute, or relative to the manifest's folder; `duration`
and the optional `offset` are in s; `id` and `speaker` are optional. Other
keys are ignored. An id that is not given is `audio_filepath` without its
extension, plus `#<offset>` where a line has an offset.
"""

import json
import math
import os
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import Any

from speechgru.interfaces import InputError, Utterance

_MAX_LISTED = 20  # problems in one message


def read_manifest(path: str | os.PathLike[str]) -> list[Utterance]:
    """Read and check a manifest; the audio itself is not touched.

    A byte order mark, Windows line ends and blank lines are accepted.

    Returns:
        The utterances in the order of the lines.

    Raises:
        InputError: no such file, no utterances, or bad lines: up to 20 are
            listed, each as file:line, with the total.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be read ({_reason(error)}), expected a manifest; "
            "correct the path, or make it with: speechgru prepare"
        ) from error
    utterances: list[Utterance] = []
    problems: list[str] = []
    first_lines: dict[str, int] = {}
    # Not splitlines: it also splits at U+2028 and others inside transcripts.
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            utterance = _parse_line(line, path.parent)
        except InputError as error:
            problems.append(f"{path}:{number}: {error}")
            continue
        first = first_lines.setdefault(utterance.id, number)
        if first != number:
            problems.append(
                f"{path}:{number}: id '{utterance.id}' is also that of line {first}, "
                "expected unique ids; give each line its own id"
            )
        utterances.append(utterance)
    if problems:
        raise InputError(_list_problems(problems, path))
    if not utterances:
        raise InputError(
            f"{path}: holds no utterances, expected at least one line of JSON; "
            "make it anew"
        )
    return utterances


def write_manifest(
    path: str | os.PathLike[str], utterances: Iterable[Utterance]
) -> None:
    """Write a manifest, replacing an older one only when complete.

    Audio paths are written relative to the manifest, so that its folder can
    be moved as a whole.

    Raises:
        InputError: the folder cannot be written; an older file is untouched.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    lines = [
        json.dumps(_to_record(u, path.parent), ensure_ascii=False) for u in utterances
    ]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(temporary, "w", encoding="utf-8", newline="\n") as file:
                file.writelines(line + "\n" for line in lines)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({_reason(error)}), expected a writable "
            "folder with space left; free it or choose another"
        ) from error


def _parse_line(line: bytes, folder: Path) -> Utterance:
    try:
        record = json.loads(line.decode())
    except UnicodeDecodeError as error:
        raise InputError(
            f"not UTF-8 text (byte {line[error.start]:#04x}), expected UTF-8; "
            "save the manifest as UTF-8"
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"not JSON ({error}), expected one JSON object a line; correct the line"
        ) from error
    if not isinstance(record, dict):
        raise InputError(
            f"{_show(record)} is not an object, expected "
            '{"audio_filepath": ..., "duration": ..., "text": ...}; correct the line'
        )
    missing = [
        key for key in ("audio_filepath", "duration", "text") if key not in record
    ]
    if missing:
        raise InputError(
            f"no {' and no '.join(missing)}, expected audio_filepath, duration and "
            "text; add what is missing"
        )
    audio_filepath = _get_text(record, "audio_filepath")
    if not audio_filepath:
        raise InputError("audio_filepath is empty, expected a path; correct the line")
    duration = _get_seconds(record, "duration")
    if duration <= 0:
        raise InputError(
            f"duration is {duration:g} s, expected more than 0; correct the line"
        )
    partial = record.get("offset") is not None
    offset = _get_seconds(record, "offset") if partial else 0.0
    if offset < 0:
        raise InputError(
            f"offset is {offset:g} s, expected 0 or more; correct the line"
        )
    default_id = PurePath(audio_filepath).with_suffix("").as_posix()
    if partial:
        default_id += f"#{record['offset']}"
    return Utterance(
        id=_get_name(record, "id") or default_id,
        audio_path=folder / audio_filepath,
        duration=duration,
        text=_get_text(record, "text"),
        speaker=_get_name(record, "speaker"),
        offset=offset,
        partial=partial,
    )


def _get_text(record: dict[str, Any], key: str) -> str:
    value = record[key]
    if not isinstance(value, str):
        raise InputError(
            f"{key} is {_show(value)}, expected a string; put it in quotes"
        )
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{key} holds half a surrogate pair, expected valid Unicode; "
            "correct the escape"
        ) from error
    return value


def _get_name(record: dict[str, Any], key: str) -> str | None:
    """A string, or a whole number, as corpora like to count their speakers."""
    value = record.get(key)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _get_text(record, key) or None


def _get_seconds(record: dict[str, Any], key: str) -> float:
    value = record[key]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        raise InputError(
            f"{key} is {_show(value)}, expected a number of seconds; correct the line"
        )
    return float(value)


def _to_record(utterance: Utterance, folder: Path) -> dict[str, Any]:
    record: dict[str, Any] = {
        "id": utterance.id,
        "audio_filepath": _relative_path(utterance.audio_path, folder),
        "duration": utterance.duration,
        "text": utterance.text,
    }
    if utterance.speaker is not None:
        record["speaker"] = utterance.speaker
    if utterance.partial:
        record["offset"] = utterance.offset
    return record


def _relative_path(audio_path: Path, folder: Path) -> str:
    audio_path, folder = audio_path.absolute(), folder.absolute()
    if audio_path.is_relative_to(folder):
        return audio_path.relative_to(folder).as_posix()
    # ".." is only meaningful between real folders.
    audio_path = audio_path.parent.resolve() / audio_path.name
    try:
        return Path(os.path.relpath(audio_path, folder.resolve())).as_posix()
    except ValueError:  # another drive
        return audio_path.as_posix()


def _list_problems(problems: list[str], path: Path) -> str:
    if len(problems) == 1:
        return problems[0]
    listed = problems[:_MAX_LISTED]
    rest = len(problems) - len(listed)
    return "\n".join(
        [f"{path}: {len(problems)} bad lines", *listed]
        + ([f"... and {rest} more"] if rest else [])
    )


def _show(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "..."


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
