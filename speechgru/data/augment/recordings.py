"""Recordings of something else than speech: noises, responses of rooms."""

import random
from functools import lru_cache
from pathlib import Path

from torch import Tensor

from speechgru.audio import load_audio
from speechgru.interfaces import InputError

EXTENSIONS = (".wav", ".flac", ".ogg", ".mp3")
NUM_KEPT = 64  # recordings in memory, of each process


class Recordings:
    """A folder of audio to draw from.

    Args:
        folder: searched with all folders below it for audio files.
        sample_rate: Hz; others are converted.

    Raises:
        InputError: there is none.
    """

    def __init__(self, folder: str, sample_rate: int) -> None:
        self.paths = sorted(
            path
            for path in Path(folder).rglob("*")
            if path.suffix.lower() in EXTENSIONS
        )
        if not self.paths:
            raise InputError(
                f"{folder}: no audio files, expected a folder of recordings "
                f"({', '.join(EXTENSIONS)}); name another in augment.NAME.folder"
            )
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
