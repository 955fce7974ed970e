"""What the encoders are measured against: plain loops, and torch's own stacks."""

import copy
from collections.abc import Callable, Iterator
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from speechgru.model.encoders.gru import GRUEncoder
from speechgru.model.encoders.ligru import LiGRUEncoder
from speechgru.model.encoders.lstm import LSTMEncoder
from speechgru.model.encoders.mingru import MinGRUEncoder
from speechgru.model.encoders.recurrent import RecurrentEncoder
from speechgru.model.encoders.rnn import RNNEncoder
from speechgru.model.encoders.torch_recurrent import TorchRecurrentEncoder, directions

# Plain loops: input products for all frames at once, then frame by frame.


def gru_step(
    frame: Tensor, state: tuple[Tensor, ...], weight: Tensor, bias: Tensor
) -> tuple[Tensor]:
    """Hear one frame; `frame` (B, 3H) is its part of the gates."""
    before = state[0]
    frame_r, frame_z, frame_n = frame.chunk(3, dim=1)
    state_r, state_z, state_n = F.linear(before, weight, bias).chunk(3, dim=1)
    reset = torch.sigmoid(frame_r + state_r)
    update = torch.sigmoid(frame_z + state_z)
    new = torch.tanh(frame_n + reset * state_n)
    return (new + update * (before - new),)


def lstm_step(
    frame: Tensor, state: tuple[Tensor, ...], weight: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor]:
    """Hear one frame; the state is (h, c)."""
    before, cell = state
    gates = frame + F.linear(before, weight, bias)
    write, forget, new, output = gates.chunk(4, dim=1)
    cell = torch.sigmoid(forget) * cell + torch.sigmoid(write) * torch.tanh(new)
    return torch.sigmoid(output) * torch.tanh(cell), cell


def rnn_step(
    frame: Tensor, state: tuple[Tensor, ...], weight: Tensor, bias: Tensor
) -> tuple[Tensor]:
    """Hear one frame."""
    return (torch.tanh(frame + F.linear(state[0], weight, bias)),)


def ligru_step(
    frame: Tensor, state: tuple[Tensor, ...], weight: Tensor
) -> tuple[Tensor]:
    """Hear one frame."""
    before = state[0]
    update, candidate = (frame + F.linear(before, weight)).chunk(2, dim=1)
    candidate = torch.relu(candidate)
    return (candidate + torch.sigmoid(update) * (before - candidate),)


def mingru_step(frame: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor]:
    """Hear one frame."""
    update, candidate = frame.chunk(2, dim=1)
    return (state[0] + torch.sigmoid(update) * (candidate - state[0]),)


ENCODERS: dict[type[RecurrentEncoder], Callable[..., tuple[Tensor, ...]]] = {
    GRUEncoder: gru_step,
    LSTMEncoder: lstm_step,
    RNNEncoder: rnn_step,
    LiGRUEncoder: ligru_step,
    MinGRUEncoder: mingru_step,
}
"""What one frame does in each."""


def run_loop(
    step: Callable[..., tuple[Tensor, ...]],
    hidden_size: int,
    layer: nn.Module,
    aligned: Tensor,
    valid: Tensor,
    state: None,
) -> tuple[Tensor, Tensor]:
    """Run a layer in ordinary autograd operations; see RecurrentEncoder.run."""
    encoded = []
    for projected, parameters in _project(layer, aligned, valid):
        silence = projected.new_zeros(projected.size(1), hidden_size)
        after: tuple[Tensor, ...] = (silence, silence)  # h and, of an LSTM, c
        states = []
        for frame in projected.unbind(0):
            after = step(frame, after, *parameters)
            states.append(after[0])
        encoded.append(torch.stack(states))
    return torch.stack(encoded), torch.stack([states[-1] for states in encoded])


def _project(
    layer: nn.Module, aligned: Tensor, valid: Tensor
) -> Iterator[tuple[Tensor, tuple[Tensor, ...]]]:
    """For each direction, the gates' part of all frames, and a step's parameters."""
    if isinstance(layer, nn.RNNBase):
        for frames, weights in zip(aligned, directions(layer), strict=True):
            weight_ih, weight_hh, bias_ih, bias_hh = weights
            yield F.linear(frames, weight_ih, bias_ih), (weight_hh, bias_hh)
    elif isinstance(layer, nn.ModuleList):  # of the minimal GRU
        for frames, linear in zip(aligned, layer, strict=True):
            yield linear(frames), ()
    else:  # of the light GRU
        for frames, weight_ih, weight_hh, norm in zip(
            aligned, layer.weight_ih, layer.weight_hh, layer.norms, strict=True
        ):
            yield norm(F.linear(frames, weight_ih), valid), (weight_hh,)


def with_run(
    encoder: RecurrentEncoder, run: Callable[..., tuple[Tensor, Tensor]]
) -> RecurrentEncoder:
    """A copy of an encoder that runs its layers in another way."""
    twin = copy.deepcopy(encoder)
    twin.run = run
    # Over padded utterances always: packed ones are not run by it.
    twin.arrange = partial(RecurrentEncoder.arrange, twin)
    return twin


def plain_loop(encoder: RecurrentEncoder) -> RecurrentEncoder:
    """A copy of an encoder that loops over frames."""
    run = partial(run_loop, ENCODERS[type(encoder)], encoder.hidden_size)
    return with_run(encoder, run)


class Stacked(nn.Module):
    """All layers of an encoder in one torch layer, as torch offers it.

    Args:
        encoder: whose weights to take.
        packed: if false, the backward direction begins on padding, which is
            wrong, and as fast as a GPU can be.
    """

    def __init__(self, encoder: TorchRecurrentEncoder, packed: bool = True) -> None:
        super().__init__()
        self.packed = packed
        self.stack = encoder.torch_layer(
            encoder.layers[0].input_size,
            encoder.hidden_size,
            len(encoder.layers),
            batch_first=True,
            bidirectional=True,
        )
        with torch.no_grad():
            for mine, theirs in zip(
                self.stack.parameters(), encoder.parameters(), strict=True
            ):
                mine.copy_(theirs)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode a padded batch, as every encoder."""
        if self.packed:
            packed = pack_padded_sequence(
                features, lengths, batch_first=True, enforce_sorted=False
            )
            encoded, _ = self.stack(packed)
            padded, _ = pad_packed_sequence(
                encoded, batch_first=True, total_length=features.size(1)
            )
            return padded, lengths
        return self.stack(features)[0], lengths
