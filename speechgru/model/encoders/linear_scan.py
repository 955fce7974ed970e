"""A linear recurrence over many frames at once."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def linear_scan(decay: Tensor, inputs: Tensor, state: Tensor) -> Tensor:
    """Compute h_t = decay_t * h_(t-1) + inputs_t in about 3 sqrt(T) operations.

    The frames are cut into sqrt(T) blocks. First all blocks advance together,
    each from silence; then what each block ends with is carried into the next.

    Dimensions: D directions, T frames; the others, `...`, are alike.

    Args:
        decay: (D, T, ...).
        inputs: (D, T, ...).
        state: (D, ...) before the first frame.

    Returns:
        (D, T, ...) states after each frame.

    Source:
        Blelloch 1990, "Prefix Sums and Their Applications", section 1.3.
        Unlike a scan by cumulated logarithms it needs no positive numbers
        and loses none to rounding, however long the utterance.
    """
    return _LinearScan.apply(decay, inputs, state)


class _LinearScan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, decay: Tensor, inputs: Tensor, state: Tensor) -> Tensor:
        inputs = inputs.clone()
        inputs[:, 0] += decay[:, 0] * state
        states = _scan(decay, inputs)
        ctx.save_for_backward(decay, states, state)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        decay, states, state = ctx.saved_tensors
        # The gradient obeys the same recurrence, from the last frame back:
        # d_t = gradient_t + decay_(t+1) * d_(t+1)
        following = torch.zeros_like(decay)
        following[:, :-1] = decay[:, 1:]
        d_inputs = _scan(following.flip(1), gradient.flip(1)).flip(1)
        before = torch.cat([state[:, None], states[:, :-1]], dim=1)
        return d_inputs * before, d_inputs, d_inputs[:, 0] * decay[:, 0]


def _scan(decay: Tensor, inputs: Tensor) -> Tensor:
    """Scan (D, T, ...) from silence."""
    num_frames = inputs.size(1)
    length = math.isqrt(num_frames - 1) + 1
    decay, states = _cut(decay, length), _cut(inputs, length)
    for t in range(1, length):
        states[:, :, t].addcmul_(decay[:, :, t], states[:, :, t - 1])
        decay[:, :, t] *= decay[:, :, t - 1]  # since the start of the block
    for block in range(1, states.size(1)):
        states[:, block].addcmul_(decay[:, block], states[:, block - 1, -1:])
    return states.flatten(1, 2)[:, :num_frames]


def _cut(frames: Tensor, length: int) -> Tensor:
    """Copy (D, T, ...) into (D, blocks, length, ...), filled up with zeros."""
    missing = -frames.size(1) % length
    filling = frames.new_zeros(len(frames), missing, *frames.shape[2:])
    return torch.cat([frames, filling], dim=1).unflatten(1, (-1, length))
