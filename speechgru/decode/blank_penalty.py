"""Making the blank less probable, for models that hear it where there is speech."""

from torch import Tensor

from speechgru.interfaces import BLANK


def penalize_blank(log_probs: Tensor, penalty: float) -> Tensor:
    """Subtract a number from the blank's log-probability.

    Nothing is normalised again: all else stays as probable as it was.

    Args:
        log_probs: (..., C) natural log; they are left as they are.
        penalty: natural log; 0 changes nothing, and less makes it more probable.
    """
    if not penalty:
        return log_probs
    penalized = log_probs.clone()
    penalized[..., BLANK] -= penalty
    return penalized
