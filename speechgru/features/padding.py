"""Telling valid frames from padding."""

import torch
from torch import Tensor


def valid_frames(lengths: Tensor, num_frames: int) -> Tensor:
    """Mark the frames that belong to each utterance.

    Args:
        lengths: (B,) int64, frames.
        num_frames: T, of the padded batch.

    Returns:
        (B, T) bool, True on valid frames.
    """
    return torch.arange(num_frames, device=lengths.device) < lengths[:, None]


def zero_padding(frames: Tensor, lengths: Tensor) -> Tensor:
    """Set every frame of (B, T, ...) beyond its utterance's length to zero."""
    valid = valid_frames(lengths, frames.size(1))
    return frames.masked_fill(~valid.view(*valid.shape, *[1] * (frames.dim() - 2)), 0)
