"""From where on the doctor remarks on an utterance."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """From where on an utterance is remarked on; none makes it unusable.

    Attributes:
        clipped: share of the samples in flat peaks.
        silent: share of the time.
        edges: s of silence before or behind the sound.
        quiet: dBFS, the level of the sound.
        narrow: bandwidth, as a share of half the sample rate, of the model's if that is
            lower.
        pace: characters per second, in deviations from the median of the split: of
            the logarithm, by the median absolute deviation.
        script: share of a split's utterances; rarer scripts are remarked on.
    """

    clipped: float = 0.001
    silent: float = 0.7
    edges: float = 1.5
    quiet: float = -45.0
    narrow: float = 0.65
    pace: float = 5.0
    script: float = 0.05


DEFAULT_LIMITS = Limits()
