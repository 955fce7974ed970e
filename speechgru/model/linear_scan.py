"""A linear recurrence over all frames at once."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def linear_scan(decay: Tensor, inputs: Tensor, state: Tensor) -> Tensor:
    """Compute h_t = decay_t * h_(t-1) + inputs_t for all t in log2(T) rounds.

    After round k every frame holds the recurrence over its last 2^k frames.

    Dimensions: D directions, T frames; the others, `...`, are alike.

    Args:
        decay: (D, T, ...).
        inputs: (D, T, ...).
        state: (D, ...) before the first frame.

    Returns:
        (D, T, ...) states after each frame.

    Source:
        Hillis and Steele 1986, "Data Parallel Algorithms". Unlike a scan by
        cumulated logarithms it needs no positive numbers and loses none to
        rounding, however long the utterance.
    """
    return _LinearScan.apply(decay, inputs, state)


class _LinearScan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, decay: Tensor, inputs: Tensor, state: Tensor) -> Tensor:
        states = inputs.clone()
        states[:, 0] += decay[:, 0] * state
        _scan(decay.clone(), states)
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
        d_inputs = gradient.flip(1)
        _scan(following.flip(1), d_inputs)
        d_inputs = d_inputs.flip(1)
        before = torch.cat([state[:, None], states[:, :-1]], dim=1)
        return d_inputs * before, d_inputs, d_inputs[:, 0] * decay[:, 0]


def _scan(decay: Tensor, states: Tensor) -> None:
    """Scan in place; on return `states` holds the result."""
    num_frames = states.size(1)
    distance = 1
    while distance < num_frames:
        earlier = states[:, :-distance] * decay[:, distance:]
        states[:, distance:] += earlier
        decay[:, distance:] = decay[:, distance:] * decay[:, :-distance]
        distance *= 2
