"""Encoding utterances in pieces, so that no piece knows of the others."""

from dataclasses import dataclass

import torch
from torch import Tensor

from speechgru.features.padding import valid_frames


@dataclass(frozen=True)
class Pieces:
    """What padded utterances were cut into; each piece is padded anew.

    Attributes:
        frames: (N, P, F), the pieces of the first utterance first.
        lengths: (N,) int64, frames.
        places: (M,) int64, of all valid frames in the flattened padded batch.
        batch_shape: B utterances, T frames.
    """

    frames: Tensor
    lengths: Tensor
    places: Tensor
    batch_shape: tuple[int, int]

    def join(self, encoded: Tensor) -> Tensor:
        """Put (N, P, H) pieces together again: (B, T, H), zero in padding."""
        valid = valid_frames(self.lengths, encoded.size(1))
        size = encoded.size(2)
        joined = encoded.new_zeros(self.batch_shape[0] * self.batch_shape[1], size)
        return joined.index_copy(0, self.places, encoded[valid]).view(
            *self.batch_shape, size
        )


def cut(frames: Tensor, lengths: Tensor, longest: int) -> Pieces:
    """Cut utterances into pieces of so many frames, from a random place on.

    The first and the last piece of an utterance may be shorter. Utterances that
    are no longer than a piece stay whole.

    Args:
        frames: (B, T, F).
        lengths: (B,) int64, frames.
        longest: frames of a piece.
    """
    device = frames.device
    first = torch.randint(1, longest + 1, lengths.shape, device=device)
    first = torch.where(lengths <= longest, lengths, first)
    counts = 1 + (lengths - first + longest - 1) // longest
    rows = torch.arange(len(lengths), device=device).repeat_interleave(counts)
    ranks = torch.arange(len(rows), device=device) - (counts.cumsum(0) - counts)[rows]
    ends = torch.minimum(first[rows] + ranks * longest, lengths[rows])
    starts = (first[rows] + (ranks - 1) * longest).clamp(min=0)
    sizes = ends - starts
    within = torch.arange(int(sizes.max()), device=device)
    valid = valid_frames(sizes, len(within))
    num_frames = frames.size(1)
    places = (rows * num_frames + starts)[:, None] + within
    pieces = frames.new_zeros(*places.shape, frames.size(2))
    pieces[valid] = frames.flatten(0, 1)[places[valid]]
    return Pieces(pieces, sizes, places[valid], (len(frames), num_frames))


def draw_longest(shortest: int, longest: int) -> int:
    """A length between two, whose logarithm is uniform."""
    return round(shortest * (longest / shortest) ** torch.rand(()).item())
