"""How durations, levels and the like are distributed over the utterances."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from speechgru.data.validation.remarks import find_pace
from speechgru.data.validation.table import Table

MOST_BINS = 40


@dataclass(frozen=True)
class Histogram:
    """How often a measure has which value.

    Attributes:
        name: of the measure.
        unit: of its values.
        edges: of the bins, one more than there are; what lies beyond the first or
            the last is counted in the bin beside it.
        counts: utterances in each bin, by split.
    """

    name: str
    unit: str
    edges: list[float]
    counts: dict[str, list[int]]


def make_histograms(
    tables: Mapping[str, Table], frames_per_second: float | None
) -> list[Histogram]:
    """Count what was measured.

    Args:
        tables: what is known of the utterances, by split.
        frames_per_second: output frames of the model; None: not known.
    """
    sound: dict[str, np.ndarray] = {}
    pace: dict[str, np.ndarray] = {}
    filled: dict[str, np.ndarray] = {}
    for split, table in tables.items():
        is_usable = table.heard["sample_rate"] > 0
        sound[split] = table.heard[is_usable]
        each, _ = find_pace(table)
        pace[split] = each[each > 0]
        fits = is_usable & (table.num_targets > 0)
        if frames_per_second is not None:
            frames = table.seconds[fits] * frames_per_second
            filled[split] = 100 * table.num_targets[fits] / np.maximum(frames, 1)

    def of(name: str, factor: float = 1.0) -> dict[str, np.ndarray]:
        return {split: factor * heard[name] for split, heard in sound.items()}

    seconds = {
        split: heard["num_samples"] / heard["sample_rate"]
        for split, heard in sound.items()
    }
    percents = [0, 1e-9, 0.001, 0.01, 0.1, 1, 10, 100]
    histograms = [
        _count("duration", "s", seconds, _steps(seconds, 1.0)),
        _count("level of the sound", "dBFS", of("level"), _range(-70, 0, 2)),
        _count("peak", "dBFS", of("peak"), _range(-40, 0, 1)),
        _count("samples in flat peaks", "%", of("clipped", 100), percents),
        _count("silence", "%", of("silence", 100), _range(0, 100, 5)),
        _count("silence before", "s", of("leading"), _range(0, 3, 0.1)),
        _count("silence behind", "s", of("trailing"), _range(0, 3, 0.1)),
        _count(
            "bandwidth", "kHz", of("bandwidth", 1e-3), _steps(of("bandwidth", 1e-3), 1)
        ),
        _count("pace", "characters/s", pace, _steps(pace, 0.995)),
    ]
    if frames_per_second is not None:
        name = "output frames that CTC needs"
        histograms.append(_count(name, "%", filled, _range(0, 120, 5)))
    return [each for each in histograms if any(map(sum, each.counts.values()))]


def _count(
    name: str, unit: str, values: Mapping[str, np.ndarray], edges: list[float]
) -> Histogram:
    counts = {
        split: np.histogram(np.clip(each, edges[0], edges[-1]), edges)[0].tolist()
        for split, each in values.items()
    }
    return Histogram(name, unit, edges, counts)


def _range(low: float, high: float, step: float) -> list[float]:
    count = round((high - low) / step)
    return [round(low + step * place, 6) for place in range(count + 1)]


def _steps(values: Mapping[str, np.ndarray], quantile: float) -> list[float]:
    """Bins of a round width from 0 to a quantile of all values."""
    every = np.concatenate([*values.values(), np.zeros(0)])
    top = float(np.quantile(every, quantile)) if len(every) else 1.0
    least = max(top, 1e-3) / MOST_BINS
    power = 10 ** math.floor(math.log10(least))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= least)
    return _range(0, step * math.ceil(max(top, step) / step), step)
