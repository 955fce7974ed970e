"""Mutated files: a waveform or an error that names the file, never anything else."""

import random

import pytest
import torch
from audio.sounds import FORMATS, encode, make_noise

from speechgru.audio import AudioError, inspect_audio, load_audio

CHECKED = ("flac", "ogg", "opus")
"""Formats in which every change of the sound shows."""


def mutate(encoded: bytes, generator: random.Random) -> bytes:
    """Flip, overwrite, cut out, insert or cut off."""
    start = generator.randrange(len(encoded))
    stop = min(len(encoded), start + generator.randrange(1, 3000))
    kind = generator.randrange(7)
    if kind == 0:
        flipped = encoded[start] ^ 1 << generator.randrange(8)
        return encoded[:start] + bytes([flipped]) + encoded[start + 1 :]
    if kind == 1:  # a field of the header
        start = 4 * generator.randrange(20)
        field = generator.choice([bytes(4), b"\xff" * 4, generator.randbytes(4)])
        return encoded[:start] + field + encoded[start + 4 :]
    middle = (bytes(stop - start), b"", generator.randbytes(200))[kind % 3]
    return (
        encoded[:start],
        encoded[:start] + middle + encoded[stop:],
        encoded[:start] + middle + encoded[start:],
    )[kind % 3]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_mutated_file_is_heard_or_refused_in_words(kind):
    encoded = encode(make_noise(8000), kind)
    expected = load_audio(encoded, 16_000, resample=True)
    generator = random.Random(f"{kind} 1")
    refusals = []
    for _ in range(25):
        mutated = mutate(encoded, generator)
        try:
            inspect_audio(mutated)
            waveform = load_audio(mutated, 16_000, resample=True)
        except AudioError as error:
            refusals.append(str(error))
            continue
        assert waveform.isfinite().all()
        if kind in CHECKED:
            assert torch.equal(waveform, expected)
    assert all(message.startswith("audio from memory: ") for message in refusals)
