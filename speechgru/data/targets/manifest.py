"""Manifests, which hold all that an utterance is."""

from collections.abc import Sequence
from pathlib import Path

from speechgru.data.manifest import write_manifest
from speechgru.interfaces import Utterance
from speechgru.progress import track

ENDING = ".jsonl"


def write(output: Path, utterances: Sequence[Utterance]) -> list[str]:
    """Write a manifest; the audio stays where it is."""
    write_manifest(output, track(utterances, "writing", "utterances"))
    return []
