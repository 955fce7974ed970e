"""Manifests, which hold all that an utterance is."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from speechgru.cache import cache_folder
from speechgru.data.manifest import write_manifest
from speechgru.interfaces import Utterance
from speechgru.progress import track
from speechgru.remote import address_of

ENDING = ".jsonl"


def write(output: Path, utterances: Sequence[Utterance]) -> list[str]:
    """Write a manifest; the audio stays where it is."""
    kept = f"{cache_folder()}{os.sep}"
    count = 0

    def noted() -> Iterator[Utterance]:
        nonlocal count
        for utterance in track(utterances, "writing", "utterances"):
            path = utterance.audio_path
            count += str(path).startswith(kept) and address_of(path) is None
            yield utterance

    write_manifest(output, noted())
    if not count:
        return []
    return [
        f"{count} recordings lie in the cache, {kept}, which must not be emptied then; "
        "kaldi, lhotse and shards have copies"
    ]
