"""Audio that costs what speech costs: as long as it, and as large on a disk."""

import random
import string
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from speechgru.interfaces import Utterance

SAMPLE_RATE = 16000  # Hz
LEVEL = 0.012
SMOOTH = np.array([0.5, 1.0, 0.5], dtype=np.float32) / np.sqrt(1.5)
"""Noise of this RMS, smoothed so, is as large in FLAC as LibriSpeech's speech (0.61
of its samples), and takes as long to decode."""

MEAN = 0.75
"""Of durations, as a share of the longest: 12.3 of 16.5 s in LibriSpeech."""

LETTERS_PER_SECOND = 12


def write_recordings(
    folder: Path, longest: float, count: int, extension: str = "flac"
) -> list[Utterance]:
    """Write files of noise with transcripts of random words.

    Args:
        folder: where to.
        longest: s.
        count: of files.
        extension: "flac" or "wav".
    """
    noise, draw = np.random.default_rng(0), random.Random(0)
    utterances = []
    for index in range(count):
        # Most are nearly as long as the longest, as cut audiobooks are.
        duration = max(0.1, longest * draw.betavariate(3.3, 1.1))
        num_samples = round(SAMPLE_RATE * duration)
        white = noise.standard_normal(num_samples + len(SMOOTH) - 1, dtype=np.float32)
        waveform = LEVEL * np.convolve(white, SMOOTH, "valid")
        path = folder / f"{index:04d}.{extension}"
        soundfile.write(path, waveform, SAMPLE_RATE, subtype="PCM_16")
        text = write_text(draw, LETTERS_PER_SECOND * duration)
        utterances.append(
            Utterance(path.stem, path, num_samples / SAMPLE_RATE, text, "nobody")
        )
    return utterances


def write_text(draw: random.Random, num_letters: float) -> str:
    """Words of at most so many letters in all, at least one."""
    words: list[str] = []
    left = int(num_letters)
    while left > 0:
        size = min(left, draw.randint(1, 8))
        words.append("".join(draw.sample(string.ascii_uppercase, size)))
        left -= size + 1
    return " ".join(words) or "A"


def repeat(utterances: Sequence[Utterance], seconds: float) -> list[Utterance]:
    """As many utterances, of the same files, as last so long, each with its own id."""
    repeated: list[Utterance] = []
    total = 0.0
    while total < seconds:
        chosen = utterances[len(repeated) % len(utterances)]
        id = f"{len(repeated):07d}"
        repeated.append(
            Utterance(
                id, chosen.audio_path, chosen.duration, chosen.text, chosen.speaker
            )
        )
        total += chosen.duration
    return repeated
