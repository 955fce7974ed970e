"""Recordings of something else than speech: noises, responses of rooms."""

import random
from functools import lru_cache
from pathlib import Path

from torch import Tensor

from speechgru.audio import inspect_audio, load_audio
from speechgru.data.folder import list_recordings
from speechgru.interfaces import InputError
from speechgru.progress import track

NUM_KEPT = 64  # recordings in memory, of each process


class Recordings:
    """A folder of audio to draw from.

    Args:
        folder: searched as `list_recordings` does.
        sample_rate: Hz; others are converted.

    Raises:
        InputError: there is none, or one that cannot be read.
    """

    def __init__(self, folder: str, sample_rate: int) -> None:
        listing = list_recordings(folder)
        self.paths = [Path(path) for path in listing.files]
        if not self.paths:
            raise InputError(
                f"{folder}: no audio files, expected a folder of recordings; name "
                "another in augment.NAME.folder"
            )
        if listing.problems:
            raise InputError("\n".join(listing.problems.values()))
        # Rather now than in the middle of training.
        for path in track(self.paths, f"{folder}: looking at recordings", "files"):
            inspect_audio(path)
        self.sample_rate = sample_rate

    def draw(self, generator: random.Random) -> Tensor:
        """Draw a recording, (S,)."""
        return _load(generator.choice(self.paths), self.sample_rate)


@lru_cache(NUM_KEPT)
def _load(path: Path, sample_rate: int) -> Tensor:
    recording = load_audio(path, sample_rate, resample=True)
    if not recording.any():
        raise InputError(f"{path}: holds silence only, expected sound; remove the file")
    return recording
