"""What an epoch takes, as far as it can be told without the model."""

import math

import numpy as np

from speechgru.data.validation.table import Table

ENOUGH = 600.0
"""s of audio whose reading was timed; of less, the time says nothing."""


def estimate_epoch(
    split: str, table: Table, sample_rate: int, batch_seconds: float
) -> list[str]:
    """Lines on reading, memory and steps of an epoch, and on what they leave out.

    Args:
        split: that is trained on.
        table: what is known of its utterances.
        sample_rate: of the model, Hz.
        batch_seconds: s of padded audio in a step.
    """
    seconds = table.seconds
    total, longest = float(seconds.sum()), float(seconds.max(initial=0.0))
    if total < ENOUGH:
        return []
    spent = float(table.heard["seconds"].astype(np.float64).sum())
    megabyte = sample_rate * 4 / 1e6  # of float32, each second
    lines = [
        f"an epoch of {split} hears {total / 3600:.2f} h in at least "
        f"{math.ceil(total / batch_seconds)} steps of {batch_seconds:g} s",
        f"a step holds {batch_seconds * megabyte:.1f} MB of samples, the longest "
        f"utterance {longest * megabyte:.1f} MB, all of {split} "
        f"{total * megabyte:,.0f} MB",
        "the model's own time comes on top: the command probe measures it, with the "
        "options of training",
    ]
    if spent > 0:
        lines.insert(
            1,
            f"to read it once took {spent:.1f} s of a core here, as measured when it "
            f"was decoded: {total / spent:,.0f} s of audio per s",
        )
    return lines
