"""Manifests: JSON Lines in the NeMo convention, one utterance a line.

    {"audio_filepath": "wav/a.wav", "duration": 2.5, "text": "GO"}

`audio_filepath` is absolute, relative to the manifest's folder, or an address
(http, https, s3, gs), whose file is fetched when it is first read; `duration`
and the optional `offset` are in s; `id` and `speaker` are optional. A recording
that lies inside a larger, uncompressed file, such as a tar, is named by that file
and its `byte_range`, e.g. [1536, 40960]: first byte and number of bytes. Other
keys are ignored. An id that is not given is `audio_filepath` without its
extension, plus `@<first byte>` and `#<offset>` where a line has them.
"""

import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from speechgru.files import (
    parse_object,
    printable,
    read_json_lines,
    relative_path,
    write_json_lines,
)
from speechgru.interfaces import InputError, Utterance
from speechgru.records import (
    check_keys,
    get_byte_range,
    get_name,
    get_seconds,
    get_text,
)
from speechgru.remote import address_of, locate


def read_manifest(path: str | os.PathLike[str]) -> list[Utterance]:
    """Read and check a manifest; the audio itself is not touched.

    A byte order mark, Windows line ends and blank lines are accepted.

    Returns:
        The utterances in the order of the lines.

    Raises:
        InputError: no such file, no utterances, or bad lines: up to 20 are
            listed, each as file:line, with the total.

    Examples:
        >>> write_manifest("a.jsonl", [Utterance("ann-1", Path("a.wav"), 2.4, "hello")])
        >>> [utterance.text for utterance in read_manifest("a.jsonl")]
        ['hello']
    """
    folder = Path(path).parent
    return read_json_lines(
        path,
        lambda record: to_utterance(record, folder),
        get_id=lambda utterance: utterance.id,
        kind="a manifest",
        origin="speechgru prepare",
    )


def write_manifest(
    path: str | os.PathLike[str], utterances: Iterable[Utterance]
) -> None:
    """Write a manifest, replacing an older one only when complete.

    Audio paths are written relative to the manifest, so that its folder can
    be moved as a whole; those that have no folder in common with it are absolute.

    Raises:
        InputError: the folder cannot be written, or a file has a name that is no
            UTF-8; an older manifest is untouched.
    """
    folder = Path(path).parent

    # Links are looked up once for a folder of audio, not for each file in it.
    @lru_cache(1024)
    def place(audio_folder: Path) -> PurePosixPath:
        return PurePosixPath(relative_path(audio_folder, folder))

    def name(path: Path) -> str:
        return address_of(path) or str(place(path.parent) / path.name)

    write_json_lines(path, (to_record(u, name(u.audio_path)) for u in utterances))


def parse_utterance(line: bytes, folder: Path) -> Utterance:
    """Read one line of a manifest of a folder. Raises InputError."""
    return to_utterance(parse_object(line), folder)


def check_path(key: str, path: str) -> None:
    """Refuse what can be no file's path. Raises InputError."""
    if not PurePath(path).name or "\0" in path:
        found = repr(path) if path else "empty"
        raise InputError(f"{key} is {found}, expected a file's path; correct the line")


def to_utterance(record: dict[str, Any], folder: Path) -> Utterance:
    """Check a line of a manifest that lies in a folder. Raises InputError."""
    check_keys(record, ("audio_filepath", "duration", "text"))
    audio_filepath = get_text(record, "audio_filepath")
    check_path("audio_filepath", audio_filepath)
    duration = get_seconds(record, "duration")
    if duration <= 0:
        raise InputError(
            f"duration is {duration:g} s, expected more than 0; correct the line"
        )
    partial = record.get("offset") is not None
    offset = get_seconds(record, "offset") if partial else 0.0
    if offset < 0:
        raise InputError(
            f"offset is {offset:g} s, expected 0 or more; correct the line"
        )
    default_id = PurePath(audio_filepath).with_suffix("").as_posix()
    byte_range = get_byte_range(record)
    if byte_range is not None:
        default_id += f"@{byte_range[0]}"
    if partial:
        default_id += f"#{record['offset']}"
    return Utterance(
        id=get_name(record, "id") or default_id,
        audio_path=locate(audio_filepath, folder),
        duration=duration,
        text=get_text(record, "text"),
        speaker=get_name(record, "speaker"),
        offset=offset,
        partial=partial,
        byte_range=byte_range,
    )


def check_unicode(utterance: Utterance) -> None:
    """See that a manifest can hold what an utterance says.

    Raises:
        InputError: its file has a name that is no UTF-8, or a text half a character.
    """
    said = {
        "file name": str(utterance.audio_path),
        "id": utterance.id,
        "text": utterance.text,
        "speaker": utterance.speaker or "",
    }
    for what, text in said.items():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InputError(
                f"{printable(text)}: {what} is not UTF-8, expected one that is; rename "
                "files of other encodings, e.g. by convmv -r -f latin1 -t utf8 FOLDER"
            ) from error


def to_record(utterance: Utterance, audio_filepath: str) -> dict[str, Any]:
    """An utterance as a line of a manifest has it.

    Args:
        utterance: any.
        audio_filepath: names its file.

    Raises:
        InputError: a manifest cannot hold it; see `check_unicode`.
    """
    check_unicode(utterance)
    record: dict[str, Any] = {
        "id": utterance.id,
        "audio_filepath": audio_filepath,
        "duration": utterance.duration,
        "text": utterance.text,
    }
    if utterance.speaker is not None:
        record["speaker"] = utterance.speaker
    if utterance.partial:
        record["offset"] = utterance.offset
    if utterance.byte_range is not None:
        record["byte_range"] = list(utterance.byte_range)
    return record
