"""Encoders whose layers are torch's own: nn.GRU, nn.LSTM, nn.RNN."""

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from speechgru.model.encoders.recurrent import RecurrentEncoder


class TorchRecurrentEncoder(RecurrentEncoder):
    """Stack torch's recurrent layers.

    On a GPU each layer runs packed, in cuDNN. On a CPU, where a packed layer
    costs the square of the length, each direction runs over padded utterances
    in its own order of reading: the same numbers, in time linear in the
    length. Both share the parameters of the torch layer, and checkpoints.
    """

    torch_layer: ClassVar[Callable[..., nn.RNNBase]]

    def make_layer(self, input_size: int) -> nn.RNNBase:
        """One torch layer; its parameters are what a checkpoint holds."""
        return self.torch_layer(
            input_size,
            self.hidden_size,
            batch_first=True,
            bidirectional=self.bidirectional,
        )

    def run_padded(
        self, layer: nn.RNNBase, frames: Tensor, lengths: Tensor, valid: Tensor
    ) -> Tensor:
        """Run one layer over padded utterances; see RecurrentEncoder."""
        # cuDNN takes its weights from the layer, whole.
        weights_drop = self.training and self.weight_dropout > 0
        if frames.device.type == "cpu" or weights_drop:
            return super().run_padded(layer, frames, lengths, valid)
        return run_packed(layer, frames, lengths)

    def run(
        self, layer: nn.RNNBase, aligned: Tensor, valid: Tensor, state: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Run every direction of a layer; see RecurrentEncoder."""
        if state is None:
            size = self.hidden_size * (2 if layer.mode == "LSTM" else 1)
            state = aligned.new_zeros(len(aligned), aligned.size(2), size)
        results = [
            _run_direction(layer, frames, before, parameters)
            for frames, before, parameters in zip(
                aligned, state, self.parameters_of(layer), strict=True
            )
        ]
        encoded, after = zip(*results, strict=True)
        return torch.stack(encoded), torch.stack(after)

    def parameters_of(self, layer: nn.RNNBase) -> list[list[Tensor]]:
        """What `directions` gives, with some recurrent weights dropped out."""
        return [
            [weight_ih, self.drop_weights(weight_hh), *biases]
            for weight_ih, weight_hh, *biases in directions(layer)
        ]


def directions(layer: nn.RNNBase) -> list[list[Tensor]]:
    """weight_ih, weight_hh, bias_ih, bias_hh of each direction of a layer."""
    return [
        [
            getattr(layer, f"{name}_l0{suffix}")
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        ]
        for suffix in (("", "_reverse") if layer.bidirectional else ("",))
    ]


def run_packed(layer: nn.RNNBase, frames: Tensor, lengths: Tensor) -> Tensor:
    """Run one layer over packed (B, T, F) utterances: zero beyond each length."""
    packed = pack_padded_sequence(
        frames,
        lengths.cpu(),  # packing accepts no other device
        batch_first=True,
        enforce_sorted=False,
    )
    # Without total_length the output shrinks to the longest utterance
    # and stops matching the caller's (B, T) mask.
    return pad_packed_sequence(
        layer(packed)[0], batch_first=True, total_length=frames.size(1)
    )[0]


_RUN: dict[str, Callable[..., tuple[Tensor, ...]]] = {
    "GRU": torch.gru,
    "LSTM": torch.lstm,
    "RNN_TANH": torch.rnn_tanh,
}


def _run_direction(
    layer: nn.RNNBase, frames: Tensor, state: Tensor, parameters: list[Tensor]
) -> tuple[Tensor, Tensor]:
    """Run one direction over (T, B, F); an LSTM's state is (B, 2H): h, c."""
    if _lacks_half_lstm(layer, frames):
        with torch.autocast("cpu", enabled=False):
            return _run_direction(layer, frames.float(), state.float(), parameters)
    before: Tensor | tuple[Tensor, ...] = state[None]
    if layer.mode == "LSTM":
        before = tuple(part.contiguous() for part in state[None].chunk(2, dim=2))
    # has_biases, num_layers, dropout, train, bidirectional, batch_first
    encoded, *after = _RUN[layer.mode](
        frames, before, parameters, True, 1, 0.0, layer.training, False, False
    )
    return encoded, torch.cat([part[0] for part in after], dim=1)


def _lacks_half_lstm(layer: nn.RNNBase, frames: Tensor) -> bool:
    """Whether torch would fail on an LSTM in the half precision of autocast.

    On a CPU it asks oneDNN, whose LSTM needs AVX-512 for that.
    """
    if layer.mode != "LSTM" or frames.device.type != "cpu":
        return False
    if not torch.is_autocast_enabled("cpu"):
        return False
    if torch.get_autocast_dtype("cpu") == torch.bfloat16:
        return not torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return not torch.ops.mkldnn._is_mkldnn_fp16_supported()
