"""The order in which a stack of layers reads the frames of a batch."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from speechgru.features.padding import ValidFrames
from speechgru.model.dropout import FrameDraws


@dataclass(frozen=True)
class Arrangement:
    """A batch as the layers read it: padded, cut into pieces, or packed.

    Attributes:
        frames: (B, T, F) padded, or (N, F) packed.
        valid: of padded frames; None: they are packed, and all are valid.
        batch_sizes: of packed ones, see `Packing`.
        draws: what dropout leaves of frames in this order.
        restore: brings (..., H) in this order back to the batch, (B, T, H), zero
            in padding.
    """

    frames: Tensor
    valid: ValidFrames | None
    draws: FrameDraws
    restore: Callable[[Tensor], Tensor]
    batch_sizes: Tensor | None = None
