"""What is measured of decoded samples, in one pass and whatever the model."""

import math
from functools import lru_cache

import numpy as np

FLOOR = -120.0
"""dBFS; what is softer, digital silence too, is given as this."""

FRAME = 0.02
"""s, whose loudness is looked at."""

QUIET = 30.0
"""dB below the loud frames (their 95th percentile); what is softer is silence.

Pauses of AN4 and LibriSpeech lie 35 to 45 dB below, and so do their backgrounds."""

FULL_SCALE = 0.9999
RUN = 3
"""Equal samples at the highest or lowest value that make a flat peak."""
LEAST_PEAK = 0.1
"""A softer recording has as many equal samples without having been clipped."""

WINDOW = 0.025
"""s of a spectrum."""
NUM_SPECTRA = 64
"""Of the loudest windows; more change nothing."""
MOST_CLICKS = 2
"""Windows, the loudest at each frequency, that are left out; fewer of short sounds."""
BEYOND = 3e-4
"""Share of the power that may lie above the bandwidth, weighted by frequency squared.

Speech falls by some 6 dB an octave, which the weight makes up for. Of files
of AN4 and LibriSpeech, whose half rate is 8 kHz, 95 % have a bandwidth above 7.8 kHz,
as MP3 above 7.0, and all below 4.9 that were upsampled from half the rate; but not if
upsampled by straight lines, which leave mirrored sound above."""


def measure(samples: np.ndarray, sample_rate: int) -> dict[str, float]:
    """Measure (S,) float32 samples, at least one, at a rate in Hz.

    Returns:
        Those fields of `Heard` that are measured.
    """
    high, low = float(samples.max()), float(samples.min())
    frames, power, heard = _find_sound(samples, sample_rate)
    seconds = frames.shape[1] / sample_rate
    leading = trailing = len(frames) * seconds
    if len(heard):
        leading = float(heard[0]) * seconds
        trailing = float(len(frames) - 1 - heard[-1]) * seconds
    return {
        "peak": _decibels(max(high, -low) ** 2),
        "level": _level(power, heard),
        "clipped": _clipped(samples, high, low),
        "silence": 1 - len(heard) / len(frames),
        "leading": leading,
        "trailing": trailing,
        "bandwidth": _bandwidth(samples, sample_rate),
    }


def measure_level(samples: np.ndarray, sample_rate: int) -> float:
    """Only the "level" of `measure`, in dBFS, which costs little."""
    _, power, heard = _find_sound(samples, sample_rate)
    return _level(power, heard)


def _level(power: np.ndarray, heard: np.ndarray) -> float:
    return _decibels(float(power[heard].mean()) if len(heard) else 0.0)


def _find_sound(
    samples: np.ndarray, sample_rate: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, S) samples of frames, (N,) their power, and which of them are no silence."""
    size = min(max(1, round(FRAME * sample_rate)), len(samples))
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    # The variance: a constant offset is no sound.
    power = _power(frames) - frames.mean(axis=1) ** 2
    place = int(0.95 * (len(power) - 1))
    loud = np.partition(power, place)[place]
    is_sound = power > max(loud * 10 ** (-QUIET / 10), 10 ** (FLOOR / 10))
    return frames, power, np.flatnonzero(is_sound)


def _clipped(samples: np.ndarray, high: float, low: float) -> float:
    """Share of samples in flat peaks, or in runs at full scale."""
    if max(high, -low) < LEAST_PEAK:
        return 0.0
    count = 0
    for flat in (
        samples >= min(high, FULL_SCALE),
        samples <= max(low, -FULL_SCALE),
    ):
        places = np.flatnonzero(flat)
        if len(places) < RUN:
            continue
        ends = np.flatnonzero(np.diff(places) > 1) + 1
        runs = np.diff(np.concatenate([[0], ends, [len(places)]]))
        count += int(runs[runs >= RUN].sum())
    return count / len(samples)


def _bandwidth(samples: np.ndarray, sample_rate: int) -> float:
    """The frequency in Hz below which the sound of the loud windows lies."""
    size = 1 << max(4, math.ceil(math.log2(WINDOW * sample_rate)))
    if len(samples) < size:
        samples = np.pad(samples, (0, size - len(samples)))
    windows = samples[: len(samples) // size * size].reshape(-1, size)
    power = _power(windows)
    if len(windows) > NUM_SPECTRA:
        loudest = np.argpartition(power, -NUM_SPECTRA)[-NUM_SPECTRA:]
        windows, power = windows[loudest], power[loudest]
    # Background noise at full bandwidth says nothing of the speech.
    windows = windows[power > power.max() * 1e-3]
    if not len(windows):
        return 0.0
    spectra = np.fft.rfft(windows * _taper(size))
    frequencies = np.arange(size // 2 + 1) * (sample_rate / size)
    powers = np.abs(spectra) ** 2
    # A click, as of a hard cut, is heard at all frequencies, in a window or two.
    num_clicks = min(MOST_CLICKS, len(powers) // 8)
    if num_clicks:
        powers = np.partition(powers, -num_clicks, axis=0)[:-num_clicks]
    weighted = powers.mean(axis=0) * frequencies**2
    total = np.cumsum(weighted)
    if not total[-1] > 0:
        return 0.0
    return float(frequencies[np.searchsorted(total, (1 - BEYOND) * total[-1])])


@lru_cache(16)
def _taper(size: int) -> np.ndarray:
    return np.hanning(size).astype(np.float32)


def _power(frames: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->i", frames, frames) / frames.shape[1]


def _decibels(power: float) -> float:
    return max(FLOOR, 10 * math.log10(max(power, 1e-30)))
