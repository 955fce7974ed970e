"""Encoding utterances in pieces, so that no piece knows of the others."""

from dataclasses import dataclass

import torch
from torch import Tensor

from speechgru.features.keyed_draws import draw
from speechgru.features.padding import ValidFrames, put_back, send


@dataclass(frozen=True)
class Pieces:
    """How padded utterances are cut into pieces; each piece is padded anew.

    Attributes:
        valid: of the (N, P) pieces; those of the first utterance come first.
        places: (N, P) int64, on the device of the frames: of each frame of a piece in
            the flattened padded batch; of any frame in padding.
        batch_shape: B utterances, T frames.
    """

    valid: ValidFrames
    places: Tensor
    batch_shape: tuple[int, int]

    def cut(self, frames: Tensor) -> Tensor:
        """Cut (B, T, ...) into (N, P, ...), with anything in padding."""
        pieces = frames.flatten(0, 1).index_select(0, self.places.flatten())
        return pieces.unflatten(0, self.places.shape)

    def join(self, encoded: Tensor) -> Tensor:
        """Put (N, P, H) pieces together again: (B, T, H), zero in padding."""
        places = self.places.flatten().index_select(0, self.valid.rows)
        rows = encoded.flatten(0, 1).index_select(0, self.valid.rows)
        return put_back(rows, places, self.batch_shape)


def plan_pieces(
    lengths: Tensor, num_frames: int, longest: int, keys: Tensor, device: torch.device
) -> Pieces:
    """Cut utterances into pieces of so many frames, from a random place on.

    The first and the last piece of an utterance may be shorter. Utterances that
    are no longer than a piece stay whole.

    Args:
        lengths: (B,) int64, frames, on the host.
        num_frames: T.
        longest: frames of a piece.
        keys: (B,) int64, from `utterance_keys`: of where an utterance is cut first.
        device: of the frames.
    """
    first = 1 + (draw(keys, "pieces") * longest).long()
    first = torch.where(lengths <= longest, lengths, first)
    counts = 1 + (lengths - first + longest - 1) // longest
    rows = torch.arange(len(lengths)).repeat_interleave(counts)
    ranks = torch.arange(len(rows)) - (counts.cumsum(0) - counts)[rows]
    ends = torch.minimum(first[rows] + ranks * longest, lengths[rows])
    starts = (first[rows] + (ranks - 1) * longest).clamp(min=0)
    sizes = ends - starts
    valid = ValidFrames(sizes, int(sizes.max()), device)
    within = torch.arange(valid.num_frames).minimum(sizes[:, None] - 1)
    places = (rows * num_frames + starts)[:, None] + within
    return Pieces(valid, send(places, device), (len(lengths), num_frames))


def draw_longest(shortest: int, longest: int, key: Tensor) -> int:
    """A length between two, whose logarithm is uniform.

    Args:
        shortest: frames.
        longest: frames.
        key: (1,) int64, from `step_key`.
    """
    number = draw(key, "longest piece").item()
    return round(shortest * (longest / shortest) ** number)
