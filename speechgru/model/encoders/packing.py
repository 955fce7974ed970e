"""Padded utterances as the packed rows that cuDNN reads: their valid frames alone."""

from dataclasses import dataclass

import torch
from torch import Tensor

from speechgru.features.padding import ValidFrames, put_back, send


@dataclass(frozen=True)
class Packing:
    """Where the rows of packed utterances lie in a padded batch.

    As `pack_padded_sequence` orders them, which makes the host wait for the GPU three
    times: all first frames, of the longest utterance first, then all second ones.

    Attributes:
        places: (N,) int64, on the device: of each row in the flattened batch.
        batch_sizes: (T,) int64, on the host: utterances that have each frame.
        batch_shape: B utterances, T frames.
    """

    places: Tensor
    batch_sizes: Tensor
    batch_shape: tuple[int, int]

    def pack(self, frames: Tensor) -> Tensor:
        """Take the valid frames of (B, T, ...): (N, ...)."""
        return frames.flatten(0, 1).index_select(0, self.places)

    def pad(self, rows: Tensor) -> Tensor:
        """Put (N, H) rows back: (B, T, H), zero beyond each length."""
        return put_back(rows, self.places, self.batch_shape)


def plan_packing(valid: ValidFrames) -> Packing:
    """Plan how a padded batch is packed.

    Args:
        valid: of the batch.
    """
    lengths, num_frames = valid.lengths, valid.num_frames
    ordered, order = lengths.sort(descending=True, stable=True)
    frames = torch.arange(int(ordered[0]))[:, None]
    is_valid = frames < ordered
    places = (order * num_frames + frames)[is_valid]
    sizes = is_valid.sum(dim=1)
    return Packing(send(places, valid.device), sizes, (len(lengths), num_frames))
