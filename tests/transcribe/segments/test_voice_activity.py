import builtins
import math
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from speechgru.data.augment.noise import colored_noise
from speechgru.data.corpora.espeak import Espeak
from speechgru.interfaces import InputError
from speechgru.transcribe.segments import voice_activity
from speechgru.transcribe.segments.cutting import Cutting
from speechgru.transcribe.segments.voice_activity import FRAME, find_activity

SECOND = 16_000


def find_pieces(waveform: torch.Tensor) -> list[tuple[float, float]]:
    pieces = Cutting().cut(find_activity([waveform]), len(waveform) / SECOND)
    return [(piece.start, piece.end) for piece in pieces]


def noise(seconds: float, exponent: float, level: float) -> torch.Tensor:
    numbers = torch.Generator().manual_seed(0)
    drawn = colored_noise(round(seconds * SECOND), exponent, numbers)
    return drawn * (level / drawn.square().mean().sqrt())


def music(seconds: int) -> torch.Tensor:
    """Two chords of four voices with overtones in each second."""
    draw = random.Random(0)
    times = torch.arange(SECOND // 2) / SECOND
    chords = []
    for _ in range(2 * seconds):
        root = 110 * 2 ** (draw.randrange(12) / 12)
        voices = [
            torch.sin(2 * math.pi * root * interval * tone * times) / tone
            for interval in (1, 1.25, 1.5, 2)
            for tone in range(1, 7)
        ]
        chords.append(0.05 * sum(voices) * torch.exp(-3 * times))
    return torch.cat(chords)


def test_silence_noise_and_music_are_no_speech():
    assert find_pieces(torch.zeros(5 * SECOND)) == []
    for exponent in (0.0, 1.0, 2.0):
        for level in (0.001, 0.1):
            assert find_pieces(noise(5, exponent, level)) == []
    assert find_pieces(music(5)) == []


def test_speech_in_noise_is_found_where_it_is():
    pytest.importorskip("espeakng_loader")
    espeak = Espeak()
    spoken = espeak.speak("one two three four five", "en-us", 150, 50)
    times = torch.arange(0, len(spoken) * SECOND // espeak.sample_rate)
    places = (times * espeak.sample_rate / SECOND).long()
    speech = spoken[places]
    waveform = noise(10, 1.0, 0.003)
    waveform[4 * SECOND : 4 * SECOND + len(speech)] += speech
    pieces = find_pieces(waveform)
    end = 4 + len(speech) / SECOND
    assert 3.8 < pieces[0][0] < 4.2
    assert end - 0.5 < pieces[-1][1] < end + 0.3


def test_blocks_of_any_length_are_heard_alike():
    waveform = noise(20, 1.0, 0.1)
    whole = find_activity([waveform])
    assert len(whole.speech) == math.ceil(len(waveform) / FRAME)
    for size in (1000, 8192, 100_000):
        parts = find_activity(waveform.split(size))
        np.testing.assert_array_equal(parts.speech, whole.speech)
        np.testing.assert_array_equal(parts.energies, whole.energies)


def test_energies_are_mean_squares_of_frames():
    found = find_activity([torch.full((FRAME + FRAME // 2,), 0.5)])
    np.testing.assert_allclose(found.energies, [0.25, 0.125])


def test_of_nothing_nothing_is_found():
    assert len(find_activity([]).speech) == 0


def test_what_is_missing_is_named(monkeypatch):
    load = voice_activity._load_network.__wrapped__
    expected = r"silero-vad==6.2.3 is not installed.*segment=none"
    with monkeypatch.context() as patched:
        patched.setattr(voice_activity, "find_spec", lambda name: None)
        with pytest.raises(InputError, match=expected):
            load()
        # Another version may not have this file.
        patched.undo()
        patched.setattr(voice_activity, "_NETWORK", Path("other.onnx"))
        with pytest.raises(InputError, match=expected):
            load()
    real = builtins.__import__

    def import_less(name, *others, **named):
        if name == "onnxruntime":
            raise ImportError(name)
        return real(name, *others, **named)

    monkeypatch.setattr(builtins, "__import__", import_less)
    with pytest.raises(InputError, match="onnxruntime is not installed"):
        load()
