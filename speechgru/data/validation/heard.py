"""What the audio of an utterance is, as an object and as a row of a table."""

from typing import NamedTuple

import numpy as np


class Heard(NamedTuple):
    """What the audio of an utterance is, whatever the model.

    Attributes:
        num_samples: at the file's own rate.
        sample_rate: Hz.
        num_channels: of the file.
        digest: of the samples; empty: all are zero.
        seconds: CPU s that reading it took.
        peak: dBFS, of the largest sample.
        level: dBFS, root mean square of what is not silent.
        clipped: share of samples in flat peaks.
        silence: share of the time that is silent.
        leading, trailing: s of silence before and behind the sound.
        bandwidth: Hz, below which the sound lies.
    """

    num_samples: int
    sample_rate: int
    num_channels: int
    digest: bytes
    seconds: float
    peak: float
    level: float
    clipped: float
    silence: float
    leading: float
    trailing: float
    bandwidth: float


HEARD = np.dtype(
    [("num_samples", "<i8"), ("sample_rate", "<u4"), ("num_channels", "<u4")]
    + [("digest", "S16")]
    + [(name, "<f4") for name in Heard._fields[4:]]
)
"""A row of a table; `Heard` makes one, and `Heard(*row.tolist())` of one."""
