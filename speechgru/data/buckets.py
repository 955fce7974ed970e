"""Utterances of like durations: what may share a step, and how many of them."""

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Durations = NDArray[np.float64]

_NUM_GROUPS = 512
"""Of durations, between whose limits buckets are cut."""

STEPS_PER_BUCKET = 4
"""At least, on average: with fewer, the same utterances would always meet."""


def limit_buckets(durations: Durations, batch_seconds: float, wanted: int) -> int:
    """How many buckets are cut: fewer than wanted where there are few steps."""
    num_steps = float(durations.sum()) / batch_seconds
    return max(1, min(wanted, int(num_steps / STEPS_PER_BUCKET)))


def cut_buckets(
    durations: Durations, batch_seconds: float, num_buckets: int
) -> Indices:
    """Where buckets begin, so that steps are few and little is padded.

    Args:
        durations: s, (N,), the longest first.
        batch_seconds: as of `cut_steps`.
        num_buckets: at most; fewer where there are fewer durations.

    Returns:
        Indices into durations, (B + 1,): 0 first, N last, each above the one before.
    """
    groups = _group(durations)
    longest = durations[groups[:-1]]
    steps = 1 / np.maximum(batch_seconds // longest, 1)
    # Rounding down leaves some freedom, which is used to pad less.
    cost = steps + 0.1 * longest / batch_seconds
    # Row i, column j: of a bucket of the groups i to j, padded to the longest of i.
    costs = cost[:, None] * (groups[None, 1:] - groups[:-1, None])
    costs[np.tril_indices(len(costs), -1)] = np.inf
    least = costs[0]  # of one bucket that ends with each group
    best_starts = []
    for _ in range(min(num_buckets, len(costs)) - 1):
        before = np.concatenate([[np.inf], least[:-1]])
        totals = before[:, None] + costs
        best_starts.append(totals.argmin(axis=0))
        least = totals.min(axis=0)
    starts, stop = [], len(costs)
    for best in reversed(best_starts):
        stop = int(best[stop - 1])
        starts.append(stop)
    return groups[[0, *reversed(starts), len(groups) - 1]]


def _group(durations: Durations) -> Indices:
    """Where groups of like durations begin, as `cut_buckets` tells of buckets."""
    logs = np.log(durations)
    span = float(logs[0] - logs[-1]) or 1.0
    numbers = ((logs[0] - logs) * (_NUM_GROUPS / span)).astype(np.int64)
    starts = np.flatnonzero(np.diff(numbers, prepend=-1))
    return np.append(starts, len(durations)).astype(np.int64)


def cut_steps(
    durations: Durations, buckets: Indices, batch_seconds: float, num_parts: int
) -> Indices:
    """Where steps begin, each as large as its budget allows.

    The first utterance of a step may be any of its bucket, so the longest of that
    bucket is what the step is sized by.

    Args:
        durations: s, (N,), the longest first.
        buckets: as of `cut_buckets`.
        batch_seconds: s of padded audio of a step, at most, unless a single
            utterance, or one for each part, is longer.
        num_parts: of a step, each of which gets an utterance.

    Returns:
        Indices into durations, (K + 1,): 0 first, N last, each above the one before.
    """
    total = len(durations)
    starts = [0]
    while starts[-1] < total:
        bucket = buckets[np.searchsorted(buckets, starts[-1], side="right") - 1]
        size = max(int(batch_seconds / durations[bucket]), 1, num_parts)
        starts.append(min(starts[-1] + size, total))
    return np.array(_end_evenly(starts, num_parts), dtype=np.int64)


def _end_evenly(starts: list[int], num_parts: int) -> list[int]:
    """Let the last step, of what is left, be as large as those like it before it."""
    sizes = np.diff(starts)
    if len(sizes) == 1 or sizes[-1] >= sizes[-2]:
        return starts
    alike = 1
    while alike < len(sizes) and sizes[-1 - alike] == sizes[-2]:
        alike += 1
    first = starts[-1 - alike]
    left = starts[-1] - first
    count = max(1, min(alike, left // num_parts))
    even = [first + left * step // count for step in range(1, count + 1)]
    return [*starts[: len(starts) - alike], *even]
