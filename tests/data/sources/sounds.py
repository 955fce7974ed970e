"""Small recordings for the tests of sources, each another."""

import io
from pathlib import Path

import numpy as np
import soundfile

RATE = 8000  # Hz


def noise(seed: int, seconds: float = 0.1, channels: int = 1) -> np.ndarray:
    """(S,) or (S, channels) of quiet noise; 16-bit samples hold it exactly."""
    shape = (round(RATE * seconds), channels)[: 1 if channels == 1 else 2]
    steps = np.random.default_rng(seed).integers(-3000, 3000, shape)
    return steps / 2**15


def put(path: Path, seed: int = 0, seconds: float = 0.1) -> Path:
    """Write a recording of the kind that its name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, noise(seed, seconds), RATE)
    return path


def encode(seed: int = 0, seconds: float = 0.1, kind: str = "WAV") -> bytes:
    """A recording as the bytes of a file."""
    file = io.BytesIO()
    soundfile.write(file, noise(seed, seconds), RATE, format=kind)
    return file.getvalue()
