"""Dropout of units, anew at every frame or alike at all of them."""

from collections.abc import Callable

import torch
from torch import Tensor

from speechgru.features.keyed_draws import frame_keys, keep_units


def drop_units(frames: Tensor, probability: float, keys: Tensor) -> Tensor:
    """Drop out units, and scale up those that are kept.

    Args:
        frames: (..., H).
        probability: of each unit.
        keys: (...) int32 of the frames, from `frame_keys`; sizes of 1 stand for all.
    """
    keep = keep_units(keys, frames.size(-1), probability)
    return torch.where(keep, frames, 0.0) * (1 / (1 - probability))


class FrameDraws:
    """Draws what dropout leaves of a batch, in whatever order its frames are.

    Args:
        keys: (B,) int64, from `utterance_keys`.
        num_frames: T.
        device: of the frames.
        arrange: brings (B, T, ...) into the order of the frames; None: as it is.
    """

    def __init__(
        self,
        keys: Tensor,
        num_frames: int,
        device: torch.device,
        arrange: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self.keys = keys
        self.num_frames = num_frames
        self.device = device
        self.arrange = arrange

    def arranged(self, arrange: Callable[[Tensor], Tensor]) -> "FrameDraws":
        """Draws alike, for the same frames in another order.

        Args:
            arrange: brings them there, from the order here.
        """
        before = self.arrange
        both = arrange if before is None else lambda frames: arrange(before(frames))
        return FrameDraws(self.keys, self.num_frames, self.device, both)

    def drop(
        self, frames: Tensor, probability: float, place: str, variational: bool = False
    ) -> Tensor:
        """Drop out units of (B, T, H) frames, as arranged.

        Args:
            frames: (B, T, H), or (..., H) as `arrange` gives them.
            probability: of each unit.
            place: names where in the model this is.
            variational: drop the same units at every frame of an utterance.

        Source:
            "A Theoretically Grounded Application of Dropout in Recurrent Neural
            Networks", arXiv:1512.05287.
        """
        num_frames = 1 if variational else self.num_frames
        keys = frame_keys(self.keys, num_frames, place, self.device)
        if self.arrange is not None:
            keys = self.arrange(keys.expand(-1, self.num_frames)[..., None])[..., 0]
        return drop_units(frames, probability, keys)
