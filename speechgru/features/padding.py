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


def put_back(rows: Tensor, places: Tensor, batch_shape: tuple[int, int]) -> Tensor:
    """Put rows of frames back into a padded batch.

    Args:
        rows: (N, H).
        places: (N,) int64, of each row in the flattened batch.
        batch_shape: B utterances, T frames.

    Returns:
        (B, T, H), zero elsewhere.
    """
    num_utterances, num_frames = batch_shape
    padded = rows.new_zeros(num_utterances * num_frames, rows.size(1))
    return padded.index_copy(0, places, rows).view(*batch_shape, rows.size(1))


class ValidFrames:
    """The valid frames of a padded batch, for what needs them more than once.

    Whatever is asked for is found out once, and kept.

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
        return self._mask_on(self.device)

    @cached_property
    def rows(self) -> Tensor:
        """(N,) int64, on the device: places of the valid frames in all frames."""
        mask = self._mask_on(self.lengths.device)
        return send(mask.flatten().nonzero().flatten(), self.device)

    @cached_property
    def with_time_first(self) -> "ValidFrames":
        """Those of the same frames as (T, B, ...)."""
        return ValidFrames(self.lengths, self.num_frames, self.device, time_first=True)

    def _mask_on(self, device: torch.device) -> Tensor:
        mask = valid_frames(self.lengths, self.num_frames, device)
        return mask.t() if self.time_first else mask
