"""The GRU written as its equations, with every gate in sight.

A GRU reads frames x one after another and carries a state h, one number per
unit. At each frame two gates, between 0 and 1, decide for every unit how much
of the old state still counts:

    r  = sigmoid(W_r x + b_r + U_r h + c_r)      reset gate: 0 forgets
    z  = sigmoid(W_z x + b_z + U_z h + c_z)      update gate: 1 keeps
    n  = tanh(W_n x + b_n + r * (U_n h + c_n))   candidate for the new state
    h' = (1 - z) * n + z * h                     the new state

There is no output gate: the new state is what the unit says. This is slow and
made to be read; `nn.GRU` computes the same numbers.

Source:
    "Learning Phrase Representations using RNN Encoder-Decoder",
    arXiv:1406.1078, with the biases b and c of `nn.GRU`. The paper, in its
    last version, resets the state before the product, U_n (r * h); its first
    version, cuDNN and `nn.GRU` reset the product, as here, which makes U h
    one product for both gates and the candidate. "Empirical Evaluation of
    Gated Recurrent Neural Networks", arXiv:1412.3555, swaps z and 1 - z.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from speechgru.features.padding import valid_frames, zero_padding
from speechgru.model.encoders.torch_recurrent import directions


class GRUWeights(NamedTuple):
    """Parameters of one direction; rows are those of r, then z, then n.

    Attributes:
        frame_weight: W, (3H, F).
        state_weight: U, (3H, H).
        frame_bias: b, (3H,).
        state_bias: c, (3H,).
    """

    frame_weight: Tensor
    state_weight: Tensor
    frame_bias: Tensor
    state_bias: Tensor


class GRUTrace(NamedTuple):
    """What the units did: (B, H) at one frame, or (B, T, H) over time.

    Attributes:
        reset: r, in [0, 1].
        update: z, in [0, 1].
        candidate: n, in [-1, 1].
        output: h', in [-1, 1].
    """

    reset: Tensor
    update: Tensor
    candidate: Tensor
    output: Tensor


def gru_step(frame: Tensor, state: Tensor, weights: GRUWeights) -> GRUTrace:
    """Hear one frame.

    Args:
        frame: x, (B, F).
        state: h, (B, H), the output at the frame before; zero at the first.
        weights: of one direction.

    Returns:
        (B, H) each.
    """
    of_frame = frame @ weights.frame_weight.T + weights.frame_bias
    of_state = state @ weights.state_weight.T + weights.state_bias
    frame_r, frame_z, frame_n = of_frame.chunk(3, dim=-1)
    state_r, state_z, state_n = of_state.chunk(3, dim=-1)
    reset = torch.sigmoid(frame_r + state_r)
    update = torch.sigmoid(frame_z + state_z)
    candidate = torch.tanh(frame_n + reset * state_n)
    output = (1 - update) * candidate + update * state
    return GRUTrace(reset, update, candidate, output)


def trace_gru(
    layer: nn.GRU, features: Tensor, input_lengths: Tensor | None = None
) -> list[GRUTrace]:
    """Run a layer over utterances and keep what every unit did.

    Args:
        layer: one layer, in one direction or both, with biases.
        features: (B, T, F) float, padded on the right.
        input_lengths: (B,) int64, frames; None if nothing is padded.

    Returns:
        For the forward and, if there is one, the backward direction, (B, T, H)
        each, zero beyond each length. The outputs, concatenated, are the
        layer's.

    Raises:
        ValueError: several layers, or no biases.
    """
    if layer.num_layers != 1 or not layer.bias:
        raise ValueError(
            f"the GRU has num_layers={layer.num_layers} and bias={layer.bias}, "
            "expected 1 layer with biases; trace the layers one by one"
        )
    if input_lengths is None:
        input_lengths = torch.full((features.size(0),), features.size(1))
    return [
        _trace(GRUWeights(*weights), features, input_lengths, backward)
        for weights, backward in zip(directions(layer), (False, True), strict=False)
    ]


def _trace(
    weights: GRUWeights, features: Tensor, input_lengths: Tensor, backward: bool
) -> GRUTrace:
    num_utterances, num_frames, _ = features.shape
    valid = valid_frames(input_lengths, num_frames, features.device)
    state = features.new_zeros(num_utterances, weights.state_weight.size(1))
    times = range(num_frames)
    steps: dict[int, GRUTrace] = {}
    for time in reversed(times) if backward else times:
        steps[time] = gru_step(features[:, time], state, weights)
        # On padding the state stays as it is: zero, for the backward direction.
        state = torch.where(valid[:, time, None], steps[time].output, state)
    over_time = (
        torch.stack(values, dim=1)
        for values in zip(*(steps[time] for time in times), strict=True)
    )
    return GRUTrace(*(zero_padding(values, input_lengths) for values in over_time))
