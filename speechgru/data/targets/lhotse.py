"""Lhotse's cuts, one a line, with their recordings and supervisions.

Source: https://lhotse.readthedocs.io/en/latest/cuts.html.
"""

import gzip
import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from speechgru.audio import inspect_audio
from speechgru.data.targets.audio_files import AudioFiles
from speechgru.files import list_problems, replace_by_parts, to_json
from speechgru.interfaces import InputError, Utterance
from speechgru.progress import track

ENDING = ".jsonl.gz"


def write(output: Path, utterances: Sequence[Utterance]) -> list[str]:
    """Write cuts, compressed if the name ends in .gz.

    Raises:
        InputError: a recording cannot be read or copied, or has several channels.
    """
    stem = output.name.partition(".jsonl")[0]
    files = AudioFiles(output.with_name(f"{stem}-audio"))
    lines = _lines(output, utterances, files)
    replace_by_parts(output, _pack(lines) if output.suffix == ".gz" else lines)
    if not files.num_copied:
        return []
    return [
        f"{files.num_copied} recordings were copied to "
        f"{shlex.quote(str(files.folder))}: a cut cannot point to them"
    ]


def _lines(
    output: Path, utterances: Iterable[Utterance], files: AudioFiles
) -> Iterator[bytes]:
    described: dict[Path, dict[str, Any]] = {}
    problems: list[str] = []
    for utterance in track(utterances, "writing", "utterances"):
        path = files.find(utterance)
        try:
            if path not in described:
                described[path] = _describe(path, f"{path.stem}-{len(described)}")
        except InputError as error:
            problems.append(str(error))
            continue
        yield to_json(_to_cut(utterance, described[path])) + b"\n"
    if problems:
        raise InputError(list_problems(problems, output, len(problems), "problems"))


def _describe(path: Path, id: str) -> dict[str, Any]:
    info = inspect_audio(path)
    if info.num_channels > 1:
        raise InputError(
            f"{path}: {info.num_channels} channels, expected one: a cut takes one of "
            "them, where their mean is trained on; write it as mono first"
        )
    return {
        "id": id,
        "sources": [{"type": "file", "channels": [0], "source": str(path)}],
        "sampling_rate": info.sample_rate,
        "num_samples": info.num_samples,
        "duration": info.duration,
        "channel_ids": [0],
    }


def _to_cut(utterance: Utterance, recording: dict[str, Any]) -> dict[str, Any]:
    # As long as the recording, to the sample, where it is all of it.
    duration = utterance.duration if utterance.partial else recording["duration"]
    supervision = {
        "id": utterance.id,
        "recording_id": recording["id"],
        "start": 0,
        "duration": duration,
        "channel": 0,
        "text": utterance.text,
    }
    if utterance.speaker is not None:
        supervision["speaker"] = utterance.speaker
    return {
        "id": utterance.id,
        "start": utterance.offset,
        "duration": duration,
        "channel": 0,
        "supervisions": [supervision],
        "recording": recording,
        "type": "MonoCut",
    }


def _pack(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Compress lines, some thousand at a time, into one file of several parts."""
    waiting: list[bytes] = []
    size = 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size > 1 << 20:
            yield gzip.compress(b"".join(waiting), mtime=0)
            waiting, size = [], 0
    yield gzip.compress(b"".join(waiting), mtime=0)
