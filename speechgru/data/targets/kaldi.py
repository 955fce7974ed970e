"""Kaldi's data folders.

Source: https://kaldi-asr.org/doc/data_prep.html. Lines are sorted as by LC_ALL=C sort.
"""

import shlex
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from speechgru.data.sources.kaldi import FILES
from speechgru.data.targets.audio_files import AudioFiles, safe_name
from speechgru.files import list_problems, printable, replace_by_parts
from speechgru.interfaces import InputError, Utterance
from speechgru.progress import track

ENDING = ""

Table = Mapping[str, str]
"""Values by the names that stand before them."""


def write(output: Path, utterances: Sequence[Utterance]) -> list[str]:
    """Write wav.scp, text, utt2spk, spk2utt, utt2dur, and segments if there are any.

    Raises:
        InputError: an id or a speaker has white space in it, which ends a name there;
            or a recording cannot be read or copied.
    """
    _check_names(output, utterances)
    files = AudioFiles(output / "audio")
    has_segments = any(utterance.partial for utterance in utterances)
    recordings: dict[str, str] = {}
    named: dict[Path, str] = {}
    segments: dict[str, str] = {}
    for utterance in track(utterances, "writing", "utterances"):
        path = files.find(utterance)
        if not has_segments:
            recordings[utterance.id] = str(path)
            continue
        if path not in named:
            named[path] = _new_name(path, recordings)
            recordings[named[path]] = str(path)
        segments[utterance.id] = f"{named[path]} {_span(utterance)}"
    texts = {u.id: " ".join(u.text.splitlines()).strip() for u in utterances}
    speakers = {u.id: u.speaker or u.id for u in utterances}
    by_speaker = defaultdict(list)
    for id in sorted(speakers, key=_bytes):
        by_speaker[speakers[id]].append(id)
    _write(output / "text", texts)
    _write(output / "utt2spk", speakers)
    _write(output / "spk2utt", {s: " ".join(ids) for s, ids in by_speaker.items()})
    _write(output / "utt2dur", {u.id: repr(u.duration) for u in utterances})
    if has_segments:
        _write(output / "segments", segments)
    for name in {*FILES} - {"wav.scp", "text", "utt2spk", "utt2dur"}:
        if name != "segments" or not has_segments:
            (output / name).unlink(missing_ok=True)  # of what was there before
    # The last: without it the folder is none yet.
    _write(output / "wav.scp", recordings)
    return _notes(files, utterances, texts)


def _span(utterance: Utterance) -> str:
    if not utterance.partial:
        return "0 -1"  # to the end of the recording
    return f"{utterance.offset!r} {utterance.offset + utterance.duration!r}"


def _new_name(path: Path, taken: Table) -> str:
    stem = "_".join(safe_name(path.stem).split())
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name


def _check_names(output: Path, utterances: Sequence[Utterance]) -> None:
    """See that no name has white space in it. Raises InputError."""
    kinds: dict[str, Callable[[Utterance], str | None]] = {
        "id": lambda utterance: utterance.id,
        "speaker": lambda utterance: utterance.speaker,
    }
    problems = [
        f"{kind} {name!r} has white space in it, expected none: it ends a name in "
        "Kaldi; change it in a manifest first"
        for kind, get in kinds.items()
        for name in dict.fromkeys(map(get, utterances))
        if name is not None and name.split() != [name]
    ]
    if problems:
        raise InputError(list_problems(problems, output, len(problems), "problems"))


def _write(path: Path, table: Table) -> None:
    lines = (
        f"{name} {table[name]}".rstrip(" ") + "\n" for name in sorted(table, key=_bytes)
    )
    replace_by_parts(path, map(_bytes, lines))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _notes(
    files: AudioFiles, utterances: Sequence[Utterance], texts: Table
) -> list[str]:
    notes = []
    changed = [u.id for u in utterances if texts[u.id] != u.text]
    if changed:
        notes.append(
            f"{len(changed)} texts lost line ends, or white space around them, which "
            f"Kaldi does not hold, e.g. that of {printable(changed[0])}"
        )
    unknown = sum(u.speaker is None for u in utterances)
    if unknown:
        notes.append(
            f"{unknown} utterances without a speaker have their own id as one, as "
            "Kaldi wants it"
        )
    if files.num_copied:
        notes.append(
            f"{files.num_copied} recordings were copied to "
            f"{shlex.quote(str(files.folder))}: a line of wav.scp cannot point to them"
        )
    return notes
