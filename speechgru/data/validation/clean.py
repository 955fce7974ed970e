"""Manifests of what is fit to train on, and a list of what is not, with reasons."""

import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from speechgru.data.manifest import write_manifest
from speechgru.data.utterances import select
from speechgru.data.validation.diagnosis import Diagnosis
from speechgru.files import write_json_lines
from speechgru.interfaces import InputError

LEFT_OUT_FILE = "left_out.jsonl"

Reasons = dict[tuple[str, int], list[dict[str, str]]]
"""Kind and message of each, by split and index."""


@dataclass(frozen=True)
class Cleaned:
    """What was written.

    Attributes:
        kept: utterances in the manifest, by split; of none there is no manifest.
        manifests: by split.
        left_out: utterances that stand in no manifest.
        list_path: tells of them.
    """

    kept: dict[str, int]
    manifests: dict[str, Path]
    left_out: int
    list_path: Path

    def lines(self) -> list[str]:
        """For people."""
        lines = [
            f"{split}: {count} utterances in {self.manifests[split]}"
            if count
            else f"{split}: nothing is left, no manifest is written"
            for split, count in self.kept.items()
        ]
        return [*lines, f"{self.left_out} left out, see {self.list_path}"]


def write_clean(diagnosis: Diagnosis, folder: Path, kinds: Collection[str]) -> Cleaned:
    """Write a manifest for each split, of what has no problem, or write nothing.

    Nothing that is there already is touched.

    Args:
        diagnosis: of the corpus.
        folder: where to write; a new one, or one that holds no such files.
        kinds: of remarks, e.g. "clipped", that are reasons to leave out, too.

    Raises:
        InputError: a file is there already, or cannot be written.
    """
    manifests = plan_manifests(folder, diagnosis.splits)
    list_path = folder / LEFT_OUT_FILE
    reasons = find_reasons(diagnosis, kinds)
    kept = {}
    try:
        for split, utterances in diagnosis.splits.items():
            bad = [index for owner, index in reasons if owner == split]
            good = np.setdiff1d(np.arange(len(utterances)), bad)
            kept[split] = len(good)
            if len(good):
                write_manifest(manifests[split], select(utterances, good))
        write_json_lines(
            list_path,
            (_to_record(diagnosis, *place, why) for place, why in reasons.items()),
        )
    except BaseException:  # else what is written would be in the way of the next time
        for path in manifests.values():
            path.unlink(missing_ok=True)
        raise
    return Cleaned(kept, manifests, len(reasons), list_path)


def plan_manifests(folder: Path, splits: Iterable[str]) -> dict[str, Path]:
    """Where the manifest of each split would lie, if nothing lies there.

    Raises:
        InputError: something does.
    """
    manifests = {
        split: folder / f"{re.sub(r'[^A-Za-z0-9._-]', '_', split)}.jsonl"
        for split in splits
    }
    paths = [*manifests.values(), folder / LEFT_OUT_FILE]
    for path in paths:
        if os.path.lexists(path) or paths.count(path) > 1:
            raise InputError(
                f"{path}: is there already, expected a folder without manifests; name "
                "another by fix=FOLDER"
            )
    return manifests


def find_reasons(diagnosis: Diagnosis, kinds: Collection[str]) -> Reasons:
    """Why which utterances are left out, in their order."""
    reasons: Reasons = {}
    for index, problem in diagnosis.placed:
        reasons.setdefault((problem.split, index), []).append(
            {"kind": problem.kind, "message": problem.message}
        )
    for remark in diagnosis.remarks:
        if remark.kind in kinds and remark.split is not None:
            for index in remark.indices.tolist():
                reasons.setdefault((remark.split, index), []).append(
                    {"kind": remark.kind, "message": "left out by leave_out"}
                )
    order = {split: position for position, split in enumerate(diagnosis.splits)}
    places = sorted(reasons, key=lambda place: (order[place[0]], place[1]))
    return {place: reasons[place] for place in places}


def _to_record(
    diagnosis: Diagnosis, split: str, index: int, why: list[dict[str, str]]
) -> dict[str, Any]:
    utterance = diagnosis.splits[split][index]
    return {
        "split": split,
        "id": utterance.id,
        "index": index,
        "audio": str(utterance.audio_path),
        "text": utterance.text,
        "reasons": why,
    }
