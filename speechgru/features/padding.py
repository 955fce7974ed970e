"""Telling valid frames from padding.

Lengths stay on the host, also where frames are on a GPU: so their values are there
when they are asked for, and the host never waits for the GPU to hear them.
"""

from functools import cached_property

import torch
from torch import Tensor


def send(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy what the host has computed to a device, without waiting for it."""
    if device.type == "cuda":
        tensor = tensor.pin_memory()  # else the driver may wait for its stream
    return tensor.to(device, non_blocking=True)


def valid_frames(lengths: Tensor, num_frames: int, device: torch.device) -> Tensor:
    """Mark the frames that belong to each utterance.

    Args:
        lengths: (B,) int64, frames, on the host.
        num_frames: T, of the padded batch.
        device: of the result.

    Returns:
        (B, T) bool, True on valid frames.
    """
    return torch.arange(num_frames, device=device) < send(lengths, device)[:, None]


def zero_padding(frames: Tensor, lengths: Tensor) -> Tensor:
    """Set every frame of (B, T, ...) beyond its utterance's length to zero."""
    valid = valid_frames(lengths, frames.size(1), frames.device)
    return frames.masked_fill(~valid.view(*valid.shape, *[1] * (frames.dim() - 2)), 0)


class ValidFrames:
    """The valid frames of a padded batch, for what needs them more than once.

    Args:
        lengths: (B,) int64, frames, on the host.
        num_frames: T.
        device: of the frames.
        time_first: whether frames are (T, B, ...) instead of (B, T, ...).
    """

    def __init__(
        self,
        lengths: Tensor,
        num_frames: int,
        device: torch.device,
        time_first: bool = False,
    ) -> None:
        self.lengths = lengths
        self.num_frames = num_frames
        self.device = device
        self.time_first = time_first

    @cached_property
    def lengths_there(self) -> Tensor:
        """(B,) int64, frames, on the device."""
        return send(self.lengths, self.device)

    @cached_property
    def mask(self) -> Tensor:
        """(B, T) or (T, B) bool, on the device."""
        mask = self._mask(self.lengths_there)
        return mask.t() if self.time_first else mask

    @cached_property
    def rows(self) -> Tensor:
        """(N,) int64, on the device: places of the valid frames in all frames."""
        mask = self._mask(self.lengths)
        mask = mask.t() if self.time_first else mask
        return send(mask.flatten().nonzero().flatten(), self.device)

    def with_time_first(self) -> "ValidFrames":
        """Those of the same frames as (T, B, ...)."""
        return ValidFrames(self.lengths, self.num_frames, self.device, time_first=True)

    def _mask(self, lengths: Tensor) -> Tensor:
        frames = torch.arange(self.num_frames, device=lengths.device)
        return frames < lengths[:, None]
