"""What is measured of samples, on sounds whose values are known."""

import numpy as np
import pytest
import torch

from speechgru.audio import resample_audio
from speechgru.data.validation.measures import FLOOR, measure, measure_level

RATE = 16000


@pytest.fixture
def noise():
    """1 s with a level of -20 dBFS."""
    samples = np.random.default_rng(0).standard_normal(RATE)
    return (0.1 * samples).astype(np.float32)


def silence(seconds):
    return np.zeros(round(seconds * RATE), np.float32)


def test_level_and_peak_are_in_decibels_of_full_scale(noise):
    found = measure(noise, RATE)
    assert found["level"] == pytest.approx(-20, abs=0.1)
    assert measure_level(noise, RATE) == found["level"]
    assert found["peak"] == pytest.approx(20 * np.log10(np.abs(noise).max()), abs=1e-3)


def test_silence_is_told_from_sound_and_does_not_lower_the_level(noise):
    samples = np.concatenate([silence(0.5), noise, silence(1.5), noise, silence(1)])
    found = measure(samples, RATE)
    assert found["silence"] == pytest.approx(3 / 5)
    assert (found["leading"], found["trailing"]) == (0.5, 1.0)
    assert found["level"] == pytest.approx(-20, abs=0.1)
    assert measure_level(noise, RATE) == found["level"]


def test_background_that_is_much_softer_is_silence(noise):
    samples = np.concatenate([0.01 * noise, noise])  # 40 dB below
    assert measure(samples, RATE)["leading"] == 1.0
    samples = np.concatenate([0.1 * noise, noise])  # 20 dB below
    assert measure(samples, RATE)["leading"] == 0.0


def test_a_constant_offset_is_no_sound(noise):
    samples = np.concatenate([silence(1), noise]) + np.float32(0.2)
    found = measure(samples, RATE)
    assert found["leading"] == 1.0
    assert found["level"] == pytest.approx(-20, abs=0.1)
    assert measure_level(noise, RATE) == found["level"]


def test_digital_silence_has_the_lowest_level_and_is_silent_throughout():
    found = measure(silence(1), RATE)
    assert found["level"] == found["peak"] == FLOOR
    assert found["silence"] == 1
    assert found["leading"] == found["trailing"] == 1
    assert found["bandwidth"] == 0


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_clipped_sound_is_found_also_where_it_was_made_softer_later(noise, scale):
    loud = np.clip(8 * noise, -1, 1)
    is_flat = np.abs(loud) == 1
    in_runs = sum(
        len(run)
        for sign in (1, -1)
        for run in np.split(
            np.flatnonzero(loud == sign),
            np.flatnonzero(np.diff(np.flatnonzero(loud == sign)) > 1) + 1,
        )
        if len(run) >= 3
    )
    found = measure((scale * loud).astype(np.float32), RATE)
    assert found["clipped"] == pytest.approx(in_runs / RATE)
    assert 0 < in_runs < is_flat.sum()


def test_a_sound_at_full_scale_that_only_touches_it_is_not_clipped(noise):
    assert measure(noise / np.abs(noise).max(), RATE)["clipped"] == 0
    tone = np.sin(np.arange(RATE) * 2 * np.pi * 100 / RATE)
    rounded = (np.round(tone * 32767) / 32768).astype(np.float32)
    assert measure(rounded, RATE)["clipped"] == 0


def test_few_levels_of_a_soft_recording_are_not_clipping(noise):
    soft = np.round(noise * 20) / 32768  # values from -8 to 8
    assert measure(soft.astype(np.float32), RATE)["clipped"] == 0


def test_the_bandwidth_of_upsampled_sound_is_that_of_its_source(noise):
    # As speech, which falls by 6 dB an octave above some frequency.
    speech = np.zeros(RATE, np.float32)
    for place in range(1, RATE):
        speech[place] = 0.95 * speech[place - 1] + noise[place]
    assert measure(speech, RATE)["bandwidth"] > 7800
    narrow = resample_audio(torch.from_numpy(speech), RATE, RATE // 2)
    wide = resample_audio(narrow, RATE // 2, RATE).numpy()
    rounded = np.round(wide * 32768) / 32768
    assert 3500 < measure(rounded.astype(np.float32), RATE)["bandwidth"] < 5000
    assert measure(narrow.numpy(), RATE // 2)["bandwidth"] > 3900


@pytest.mark.parametrize("count", [1, 2, 319, 320, 321, 511])
@pytest.mark.parametrize("rate", [100, 8000, 44100, 1_000_000])
def test_any_length_at_any_rate_has_finite_measures(noise, count, rate):
    found = measure(noise[:count], rate)
    assert all(np.isfinite(value) for value in found.values())
    assert 0 <= found["silence"] <= 1
    assert found["bandwidth"] <= rate / 2
