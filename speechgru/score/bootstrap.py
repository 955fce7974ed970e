"""How far an error rate would move with another sample of utterances."""

from collections.abc import Iterator, Sequence

import numpy as np

from speechgru.interfaces import InputError
from speechgru.score.counts import ErrorCounts, error_rate


def bootstrap_interval(
    counts: Sequence[ErrorCounts],
    num_samples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Estimate the interval in which the error rate lies.

    Whole utterances are drawn with replacement, since errors within one hang
    together; the rate of each draw is its edits over its reference units. The
    bounds are percentiles of these rates, without interpolation.

    Args:
        counts: per utterance.
        num_samples: draws.
        seed: of the draws; equal seeds give equal intervals.
        confidence: share of the draws within the interval, in (0, 1).

    Returns:
        The lower and the upper bound, as rates.

    Raises:
        InputError: there are no utterances, or an option is out of its range.

    Source:
        Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR
        performance evaluation", ICASSP 2004.
    """
    if not counts:
        raise InputError("no utterances to resample, expected at least one")
    if num_samples < 1:
        raise InputError(f"num_samples is {num_samples}, expected at least 1")
    edits = np.array([count.edits for count in counts])
    lengths = np.array([count.reference_length for count in counts])
    rates = [
        error_rate(edits[drawn].sum(), lengths[drawn].sum())
        for drawn in draws(len(counts), num_samples, seed)
    ]
    return bounds(rates, confidence)


def draws(size: int, num_samples: int = 1000, seed: int = 0) -> Iterator[np.ndarray]:
    """Draw `size` of as many indices with replacement, `num_samples` times."""
    generator = np.random.default_rng(seed)
    # One draw at a time: a corpus of 100,000 utterances needs no 800 MB.
    for _ in range(num_samples):
        yield generator.integers(size, size=size)


def bounds(
    values: Sequence[float] | np.ndarray, confidence: float = 0.95
) -> tuple[float, float]:
    """The percentiles between which a share of the values lies."""
    if not 0 < confidence < 1:
        raise InputError(f"confidence is {confidence}, expected between 0 and 1")
    tail = (1 - confidence) / 2
    lower, upper = np.quantile(values, [tail, 1 - tail], method="inverted_cdf")
    return float(lower), float(upper)
