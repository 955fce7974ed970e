"""What may be there but once: ids within a split, audio among splits."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from pathlib import Path

import numpy as np

from speechgru.data.overlap import Intervals
from speechgru.data.validation.problem import Problem
from speechgru.data.validation.remark import Remark, name_some
from speechgru.data.validation.table import Table
from speechgru.interfaces import FilePart, Utterance

Splits = Mapping[str, Sequence[Utterance]]


def find_repeated_ids(
    split: str, utterances: Sequence[Utterance], table: Table
) -> Iterator[tuple[int, Problem]]:
    """The problems of utterances whose id an earlier one has."""
    for index in table.repeated_ids().tolist():
        id = utterances[index].id
        message = (
            f"{id}: id occurs twice in {split}, expected unique ids; rename or drop one"
        )
        yield index, Problem(split, id, "duplicate-id", message)


def find_leaks(
    splits: Splits, tables: Mapping[str, Table]
) -> tuple[list[tuple[int, Problem]], list[Remark]]:
    """Audio that an earlier split has, whole or in part, and what a split repeats.

    Args:
        splits: utterances by split name; of two copies the first one may stay.
        tables: what is known of them, in the same order.

    Returns:
        Problems of leaked audio, and remarks on what is repeated within a split.
    """
    if not splits:
        return [], []
    leaks = _find_stretches(splits, tables)
    remarks: list[Remark] = []
    names = list(splits)
    first, places = _find_copies([tables[split] for split in names])
    starts = np.cumsum([0, *(len(tables[split].heard) for split in names)])
    owners = np.searchsorted(starts, first, "right") - 1
    for number, split in enumerate(names):
        own = (places >= starts[number]) & (places < starts[number + 1])
        for owner in np.unique(owners[own]).tolist():
            pairs = own & (owners == owner)
            copies = places[pairs] - starts[number]
            originals = first[pairs] - starts[owner]
            if owner == number:
                ids = tables[split].ids
                kept = copies[ids[copies] != ids[originals]]
                remarks += _repeated(split, splits[split], kept)
                continue
            other = names[owner]
            for copy, original in zip(copies.tolist(), originals.tolist(), strict=True):
                leaks[split, copy] = other, splits[other][original].id
    problems = [
        (index, _leaked(split, splits[split][index].id, *leaks[split, index]))
        for split, index in leaks
    ]
    return problems, remarks


def find_shared_texts(splits: Splits, tables: Mapping[str, Table]) -> list[Remark]:
    """Transcripts that two splits have, for each pair of them."""
    remarks: list[Remark] = []
    for split, other in combinations(splits, 2):
        texts = tables[other].texts
        known = tables[split].texts
        shared = np.flatnonzero(np.isin(texts, known[known != 0]) & (texts != 0))
        if len(shared):
            remarks.append(
                Remark(
                    "shared-texts",
                    other,
                    f"{len(shared)} of {len(texts)} utterances of {other} say what one "
                    f"of {split} says: {name_some(splits[other], shared)}; a "
                    "score on them tells less of new texts",
                    shared,
                )
            )
    return remarks


def _find_copies(tables: Sequence[Table]) -> tuple[np.ndarray, np.ndarray]:
    """Of all utterances in their order: first of equal samples, and later ones."""
    digests = np.concatenate([table.heard["digest"] for table in tables])
    _, first, groups = np.unique(digests, return_index=True, return_inverse=True)
    originals = first[groups]
    copies = np.flatnonzero((originals != np.arange(len(digests))) & (digests != b""))
    return originals[copies], copies


def _find_stretches(
    splits: Splits, tables: Mapping[str, Table]
) -> dict[tuple[str, int], tuple[str, str]]:
    """What shares a stretch of a file with another split: its split and id."""
    found: dict[tuple[str, int], tuple[str, str]] = {}
    each = [np.unique(table.files[table.files != 0]) for table in tables.values()]
    files, counts = np.unique(np.concatenate(each), return_counts=True)
    common = files[counts > 1]  # nearly always none
    if not len(common):
        return found
    intervals = Intervals()
    for split, table in tables.items():
        for index in np.flatnonzero(np.isin(table.files, common)).tolist():
            utterance = splits[split][index]
            start = utterance.offset
            end = start + utterance.duration if utterance.partial else math.inf
            audio = resolve_audio(utterance)
            shared = intervals.find_other(audio, split, start, end)
            intervals.add(audio, split, start, end, utterance.id)
            if shared is not None:
                found[split, index] = shared
    return found


def _repeated(
    split: str, utterances: Sequence[Utterance], kept: np.ndarray
) -> Iterator[Remark]:
    if len(kept):
        yield Remark(
            "repeated",
            split,
            f"{len(kept)} utterances of {split} repeat the audio of another: "
            f"{name_some(utterances, kept)}; they count twice, keep one of each",
            kept,
        )


def _leaked(split: str, id: str, other_split: str, other_id: str) -> Problem:
    message = (
        f"{id}: {split} audio that is also in {other_split} (as {other_id}), expected "
        "audio of its own; drop one of the two"
    )
    return Problem(split, id, "leaked", message)


def resolve_audio(utterance: Utterance) -> Path | FilePart:
    """The file of an utterance that links lead to, or its part of that file."""
    path = _resolve(utterance.audio_path)
    if utterance.byte_range is None:
        return path
    return FilePart(path, *utterance.byte_range)


def _resolve(path: Path) -> Path:
    """What `path.resolve()` gives; the folder of many files is looked up once."""
    if path.is_symlink() or path.name in ("", ".."):
        return path.resolve()
    return _resolve_folder(path.parent) / path.name


@lru_cache(1024)
def _resolve_folder(folder: Path) -> Path:
    return folder.resolve()
