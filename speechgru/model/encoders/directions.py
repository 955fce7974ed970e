"""Padded utterances, reversed within their own lengths."""

import torch
from torch import Tensor

from speechgru.features.padding import ValidFrames


def mirror(valid: ValidFrames) -> Tensor:
    """Where each frame lies when utterances are reversed.

    Frame t <-> frame length-1-t within each utterance; padding stays behind.
    The order is its own inverse.

    Args:
        valid: with the time first.

    Returns:
        (T, B) int64, for `reorder`.
    """
    positions = torch.arange(valid.num_frames, device=valid.device)[:, None]
    return torch.where(valid.mask, valid.lengths_there - 1 - positions, positions)


def reorder(frames: Tensor, order: Tensor) -> Tensor:
    """Take (T, B, F) frames in a (T, B) order over time."""
    num_utterances = order.size(1)
    rows = order * num_utterances + torch.arange(num_utterances, device=order.device)
    return frames.flatten(0, 1)[rows.flatten()].view_as(frames)
