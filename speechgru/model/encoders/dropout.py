"""Dropout of units, anew at every frame or alike at all of them."""

import torch
import torch.nn.functional as F
from torch import Tensor


def drop_units(
    frames: Tensor, probability: float, training: bool, variational: bool
) -> Tensor:
    """Drop out units of (B, T, ...) frames.

    Args:
        frames: (B, T, ...).
        probability: of each unit.
        training: otherwise nothing is dropped.
        variational: drop the same units at every frame of an utterance.

    Source:
        "A Theoretically Grounded Application of Dropout in Recurrent Neural
        Networks", arXiv:1512.05287.
    """
    if not variational:
        return F.dropout(frames, probability, training)
    return frames * F.dropout(torch.ones_like(frames[:, :1]), probability, training)
