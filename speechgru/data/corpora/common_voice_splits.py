"""The splits of a release of Common Voice: as they are, or made here."""

import os
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from speechgru.data.corpora.common_voice_release import TABLE
from speechgru.data.corpora.shared import key
from speechgru.data.corpora.speakers import deal_speakers
from speechgru.data.corpora.tsv import read_tsv
from speechgru.interfaces import InputError
from speechgru.records import show

SPLITS = ("official", "validated", "speakers")
_ORDER = ("train", "dev", "test")
_COLUMNS = ("client_id", "path", "sentence")


class Clip(NamedTuple):
    """A line of a table.

    Attributes:
        file: its name, in the folder of clips.
        text: the sentence.
        speaker: hash of an account; empty where the release has none.
    """

    file: str
    text: str
    speaker: str


Tables = dict[str, list[Clip]]
"""By split: train, dev and test."""


def make_splits(
    folder: Path, kind: str, apart: bool, shares: Mapping[str, float], seed: int
) -> tuple[Tables, list[str]]:
    """Read the tables of a language.

    Args:
        folder: of the language.
        kind: "official": train.tsv, dev.tsv and test.tsv. "validated": dev and test
            likewise, train is validated.tsv without their speakers; the official
            one has but one recording of a sentence. "speakers": validated.tsv,
            dealt out by speakers, for releases without splits.
        apart: where splits are made, leave sentences of dev and test out of train,
            and those of test out of dev.
        shares: of dev and test, with kind "speakers"; see `deal_speakers`.
        seed: likewise.

    Returns:
        Clips by split, and what to say about them, in lines.

    Raises:
        InputError: a table is missing or damaged, or a clip is in two splits.
    """
    notes: list[str] = []
    if kind == "speakers":
        tables = _deal(folder / TABLE, shares, seed)
    else:
        tables = {split: _read(_official(folder, split)) for split in _ORDER}
    if kind == "validated":
        tables["train"] = _take_rest(folder / TABLE, tables, notes)
    if apart and kind != "official":
        _part_sentences(tables, kind, notes)
    _check_clips(folder, tables)
    return tables, notes


def _official(folder: Path, split: str) -> Path:
    path = folder / f"{split}.tsv"
    if not path.is_file():
        raise InputError(
            f"{path}: no such file; deltas and samples of Common Voice have {TABLE} "
            "only: set corpus.splits=speakers, or take a whole release"
        )
    return path


def _read(path: Path) -> list[Clip]:
    clips = []
    first: dict[str, int] = {}
    for number, (speaker, file, text) in read_tsv(path, _COLUMNS):
        if file in ("", ".", "..") or os.path.basename(file) != file:
            raise InputError(
                f"{path}:{number}: path is {show(file)}, expected the name of a clip; "
                "take the original release"
            )
        if not os.path.splitext(file)[1]:  # before release 4
            file += ".mp3"
        if first.setdefault(file, number) != number:
            raise InputError(
                f"{path}:{number}: {file} is also in line {first[file]}, expected each "
                "clip once; take the original release, or remove one line"
            )
        # Of few speakers many clips: their ids take room but once.
        clips.append(Clip(file, text.strip(), sys.intern(speaker)))
    return clips


def _deal(path: Path, shares: Mapping[str, float], seed: int) -> Tables:
    clips = _read(path)
    for clip in clips:
        if not clip.speaker:
            raise InputError(
                f"{path}: {clip.file} has no client_id, expected one to make splits by "
                "speakers; set corpus.splits=official, or remove the line"
            )
    dealt = deal_speakers(Counter(clip.speaker for clip in clips), shares, seed)
    return {
        split: [clip for clip in clips if dealt[clip.speaker] == split]
        for split in _ORDER
    }


def _take_rest(path: Path, tables: Tables, notes: list[str]) -> list[Clip]:
    """What is validated, without the speakers and clips of dev and test."""
    held_out = tables["dev"] + tables["test"]
    speakers = {clip.speaker for clip in held_out} - {""}
    files = {clip.file for clip in held_out}
    rest = [clip for clip in _read(path) if clip.file not in files]
    train = [clip for clip in rest if clip.speaker not in speakers]
    notes.append(
        f"train: {len(rest) - len(train)} of {len(rest)} clips left out since their "
        "speakers are in dev or test"
    )
    return train


def _part_sentences(tables: Tables, kind: str, notes: list[str]) -> None:
    """Leave out of train and, if it is made here, of dev what the others say."""
    heard = {key(clip.text) for clip in tables["test"]}
    for split in ("dev", "train") if kind == "speakers" else ("train",):
        if split == "train":
            heard |= {key(clip.text) for clip in tables["dev"]}
        kept = [clip for clip in tables[split] if key(clip.text) not in heard]
        left_out = len(tables[split]) - len(kept)
        where = "dev or test" if split == "train" else "test"
        if left_out:
            notes.append(
                f"{split}: {left_out} of {len(tables[split])} clips left out since "
                f"their sentences are in {where}; corpus.apart=false keeps them"
            )
        tables[split] = kept


def _check_clips(folder: Path, tables: Tables) -> None:
    split_of: dict[str, str] = {}
    for split, clips in tables.items():
        for clip in clips:
            if split_of.setdefault(clip.file, split) != split:
                raise InputError(
                    f"{folder}: {clip.file} is in {split_of[clip.file]} and in "
                    f"{split}, expected each clip in one split; take the original "
                    "release"
                )
