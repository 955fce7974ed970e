"""The largest batch that fits, and the one that is best."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

FINE = 1.1
"""The search ends when the bounds are so near to each other."""

NO_SLOWER = 1.05
"""Of the time for a second of audio: what is not worth a larger batch."""


@dataclass(frozen=True)
class Trial:
    """Steps on a batch that fits.

    Attributes:
        num_utterances: in it, views included.
        batch_seconds: s of padded audio.
        step_seconds: s of a step, the median.
        audio_seconds: s of audio in it, without padding.
        memory: bytes, the peak.
    """

    num_utterances: int
    batch_seconds: float
    step_seconds: float
    audio_seconds: float
    memory: int

    @property
    def cost(self) -> float:
        """s of time for each of audio."""
        return self.step_seconds / self.audio_seconds


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Attributes:
        trials: that fitted, by their size.
        too_large: the smallest number of utterances that did not fit; None: all did.
        in_time: whether there was time to look as far as was wanted.
    """

    trials: Sequence[Trial]
    too_large: int | None
    in_time: bool


def search(
    attempt: Callable[[int], Trial | None],
    most: int,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """Double the number of utterances until it does not fit, then bisect.

    Args:
        attempt: takes steps on so many utterances; None: they do not fit.
        most: utterances that are tried.
        seconds: after which no further number is tried.
        clock: in s.
    """
    ends_at = clock() + seconds
    trials: dict[int, Trial] = {}
    low, high, count = 0, most + 1, 1
    is_found = False
    while high - low > max(1, (FINE - 1) * low):
        if trials and clock() >= ends_at:
            return Found(_sort(trials), high if is_found else None, in_time=False)
        trial = attempt(count)
        if trial is None:
            high, is_found = count, True
        else:
            trials[count] = trial
            low = count
        count = (low + high) // 2 if is_found else min(2 * count, most)
    return Found(_sort(trials), high if is_found else None, in_time=True)


def _sort(trials: dict[int, Trial]) -> list[Trial]:
    return [trials[count] for count in sorted(trials)]


def advise(found: Found, margin: float) -> Trial | None:
    """The smallest batch beyond which a second of audio costs hardly less.

    Args:
        found: trials and the bound.
        margin: share of the largest that fits, to stay below. A single utterance is
            the least that there is.
    """
    if not found.trials:
        return None
    largest = found.trials[-1].batch_seconds
    most = largest if found.too_large is None else margin * largest
    safe = [each for each in found.trials if each.batch_seconds <= most]
    safe = safe or list(found.trials[:1])
    least = min(each.cost for each in safe)
    return next(each for each in safe if each.cost <= NO_SLOWER * least)
