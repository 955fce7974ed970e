"""Learning-rate schedules, as factors of the peak rate."""

import math
from collections.abc import Callable


def warmup_cosine(progress: float, warmup: float) -> float:
    """Rise linearly from 0, then fall along half a cosine to 0.

    Args:
        progress: share of all steps that are done, 0 to 1.
        warmup: share of all steps that the rise takes.

    Source:
        "SGDR", arXiv:1608.03983, without restarts.
    """
    if progress < warmup:
        return progress / warmup
    return _cosine(1.0, 0.0, (progress - warmup) / (1 - warmup))


def one_cycle(progress: float, warmup: float) -> float:
    """Rise along half a cosine from 1/25, then fall to 1/250,000.

    Args:
        progress: share of all steps that are done, 0 to 1.
        warmup: share of all steps that the rise takes.

    Source:
        "Super-Convergence", arXiv:1708.07120; the constants are those of
        torch.optim.lr_scheduler.OneCycleLR. Momentum is not cycled.
    """
    if progress < warmup:
        return _cosine(1 / 25, 1.0, progress / warmup)
    return _cosine(1.0, 1 / 250_000, (progress - warmup) / (1 - warmup))


SCHEDULES: dict[str, Callable[[float, float], float]] = {
    "warmup_cosine": warmup_cosine,
    "one_cycle": one_cycle,
}


def _cosine(start: float, end: float, progress: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * min(progress, 1.0))) / 2
