"""Noise, as a file of any format."""

from io import BytesIO

import numpy as np
import soundfile

RATE = 16000
FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "float.wav": ("WAV", "FLOAT"),
    "rf64": ("RF64", "PCM_16"),
    "w64": ("W64", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "aiff": ("AIFF", "PCM_16"),
    "au": ("AU", "PCM_16"),
    "caf": ("CAF", "PCM_16"),
    "sph": ("NIST", "PCM_16"),
}
LOSSY = {"ogg", "opus", "mp3"}


def make_noise(num_samples: int = 2 * RATE, seed: int = 0) -> np.ndarray:
    noise = 0.1 * np.random.default_rng(seed).standard_normal(num_samples)
    return (np.round(noise * 32768) / 32768).astype(np.float32)


def encode(
    samples: np.ndarray,
    kind: str = "wav",
    rate: int = RATE,
    subtype: str | None = None,
    **options,
) -> bytes:
    file = BytesIO()
    format, default = FORMATS[kind]
    subtype = subtype or default
    soundfile.write(file, samples, rate, format=format, subtype=subtype, **options)
    return file.getvalue()


def replace_at(encoded: bytes, position: int, by: bytes) -> bytes:
    """Bytes that were overwritten, as many as there are."""
    return encoded[:position] + by + encoded[position + len(by) :]
