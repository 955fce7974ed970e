"""Clips of Common Voice with their durations, and those that cannot be used."""

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from speechgru.audio import AudioInfo, duration_tolerance
from speechgru.data.corpora.common_voice_splits import Tables
from speechgru.data.corpora.left_out import LeftOut
from speechgru.data.corpora.recordings import try_files
from speechgru.data.corpora.tsv import read_tsv
from speechgru.files import reason
from speechgru.interfaces import InputError, Utterance
from speechgru.records import show

DURATIONS = "clip_durations.tsv"
"""Of all clips, in ms, since release 16.1."""

_SAMPLE = 16


def describe_clips(
    folder: Path, tables: Tables
) -> tuple[dict[str, list[Utterance]], list[LeftOut], list[str]]:
    """Make utterances of clips.

    Durations come from clip_durations.tsv where the release has it and a sample of
    clips agrees with it; otherwise, and for clips that it lacks, from their headers.

    Args:
        folder: of the language.
        tables: clips by split.

    Returns:
        Utterances by split; what is left out; and what to say, in lines.

    Raises:
        InputError: no clips at all, or the table of durations is damaged.
    """
    present = _list_clips(folder / "clips")
    wanted = [c.file for clips in tables.values() for c in clips if c.file in present]
    durations, notes = _read_durations(folder, wanted)
    splits: dict[str, list[Utterance]] = {}
    left_out = []
    for split, clips in tables.items():
        splits[split] = []
        for clip in clips:
            duration = durations.get(clip.file, "no such clip")
            if isinstance(duration, str) or not clip.text:
                why = duration if isinstance(duration, str) else "no sentence"
                left_out.append(LeftOut(split, clip.file, why))
                continue
            splits[split].append(
                Utterance(
                    id=os.path.splitext(clip.file)[0],
                    audio_path=folder / "clips" / clip.file,
                    duration=duration,
                    text=clip.text,
                    speaker=clip.speaker or None,
                )
            )
    return splits, left_out, notes


def _list_clips(folder: Path) -> set[str]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries}
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be read ({reason(error)}), expected the clips; unpack "
            "the whole release"
        ) from error


def _read_durations(
    folder: Path, files: Sequence[str]
) -> tuple[dict[str, float | str], list[str]]:
    """Durations, s, or why there is none, by clip."""
    known = _read_table(folder / DURATIONS, set(files))
    notes = []
    different = _find_difference(folder, files, known) if known else None
    if different:
        known = {}
        notes.append(f"{DURATIONS} is not used: {different}")
    found: dict[str, float | str] = dict(known)
    rest = [file for file in files if file not in found]
    paths = [folder / "clips" / file for file in rest]
    infos = try_files(paths, f"common_voice {folder.name}")
    for file, info in zip(rest, infos, strict=True):
        found[file] = info.duration if isinstance(info, AudioInfo) else str(info)
    return found, notes


def _read_table(path: Path, wanted: set[str]) -> dict[str, float | str]:
    if not path.is_file():
        return {}
    found: dict[str, float | str] = {}
    for number, (file, milliseconds) in read_tsv(path, ("clip", "duration[ms]")):
        if file not in wanted:
            continue
        try:
            duration = float(milliseconds) / 1000
        except ValueError:
            duration = math.nan
        if not 0 <= duration < math.inf:
            raise InputError(
                f"{path}:{number}: duration is {show(milliseconds)}, expected a number "
                f"of ms; take the original release, or remove {path.name}"
            )
        found[file] = duration or f"0 ms long, as {path.name} says"
    return found


def _find_difference(
    folder: Path, files: Sequence[str], known: Mapping[str, float | str]
) -> str | None:
    """A clip of a sample that is not as long as the table says."""
    sample = [f for f in files[:: max(1, len(files) // _SAMPLE)] if f in known]
    infos = try_files([folder / "clips" / file for file in sample], "sample")
    for file, info in zip(sample, infos, strict=True):
        expected = known[file]
        if (
            isinstance(expected, float)
            and isinstance(info, AudioInfo)
            and abs(info.duration - expected) > duration_tolerance(info.duration)
        ):
            return f"{file} is {info.duration:.3f} s long, not {expected:.3f}"
    return None
