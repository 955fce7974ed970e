"""Encoders whose layers are torch's own: nn.GRU, nn.LSTM, nn.RNN."""

from collections.abc import Callable, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from speechgru.features.padding import ValidFrames
from speechgru.model.encoders.arrangement import Arrangement
from speechgru.model.encoders.packing import plan_packing
from speechgru.model.encoders.recurrent import RecurrentEncoder

FEW_FRAMES = 8
"""On a CPU, so short utterances train faster packed; `benchmarks/speed` compares."""


class TorchRecurrentEncoder(RecurrentEncoder):
    """Stack torch's recurrent layers.

    On a GPU the stack runs packed, in cuDNN: padding costs nothing there, and where
    nothing lies between the layers, one call runs them all. So it does on a CPU where
    no gradient is wanted; the gradient of a packed layer costs the square of the
    length there. In training, each direction runs over padded utterances in its own
    order of reading: the same numbers, in time linear in the length. Both share the
    parameters of the torch layer, and checkpoints.
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

    def arrange(self, features: Tensor, input_lengths: Tensor) -> Arrangement:
        """Bring features into the order in which the layers read them: see above."""
        padded = super().arrange(features, input_lengths)
        if not self._is_packed(padded.frames):
            return padded
        packing = plan_packing(padded.valid)
        return Arrangement(
            packing.pack(padded.frames),
            None,
            padded.draws.arranged(packing.pack),
            lambda rows: padded.restore(packing.pad(rows)),
            packing.batch_sizes,
        )

    def _is_packed(self, frames: Tensor) -> bool:
        """Whether (B, T, F) frames are read packed."""
        if self.training and self.weight_dropout:
            return False  # cuDNN takes its weights from the layers, whole
        if frames.device.type != "cpu":
            return True
        if torch.is_autocast_enabled("cpu"):
            return False
        return not torch.is_grad_enabled() or frames.size(1) <= FEW_FRAMES

    def run_stack(self, arranged: Arrangement) -> Tensor:
        """What leaves the last layer, as arranged."""
        joined = self.conditioning is None and not (
            self.dropout or self.norms or self.residual or self.gradient_checkpointing
        )
        if not joined or arranged.batch_sizes is None:
            return super().run_stack(arranged)
        inputs = self._between(0, arranged.frames, arranged)
        return run_rows(self.layers, inputs, arranged.batch_sizes)

    def run_layer(
        self, layer: nn.RNNBase, frames: Tensor, arranged: Arrangement
    ) -> Tensor:
        """Run one layer over utterances, as arranged."""
        if arranged.batch_sizes is None:
            return super().run_layer(layer, frames, arranged)
        return run_rows([layer], frames, arranged.batch_sizes)

    def run(
        self,
        layer: nn.RNNBase,
        aligned: Tensor,
        valid: ValidFrames,
        state: Tensor | None,
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
        whole = directions(layer)
        recurrent = self.drop_weights(layer, [weights[1] for weights in whole])
        return [
            [weight_ih, weight_hh, *biases]
            for (weight_ih, _, *biases), weight_hh in zip(whole, recurrent, strict=True)
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


def run_rows(layers: Sequence[nn.RNNBase], rows: Tensor, batch_sizes: Tensor) -> Tensor:
    """Run layers, one into the other, in a single call.

    Args:
        layers: alike, but for their inputs.
        rows: (N, F) packed.
        batch_sizes: (T,) int64, on the host, as in `Packing`.

    Returns:
        (N, D x H) packed.
    """
    first = layers[0]
    weights = [each for layer in layers for some in directions(layer) for each in some]
    if rows.device.type == "cuda" and len(layers) > 1:
        _compact(layers, weights)
    num_states = len(layers) * (2 if first.bidirectional else 1)
    state = rows.new_zeros(num_states, int(batch_sizes[0]), first.hidden_size)
    before = (state, state) if first.mode == "LSTM" else state
    # has_biases, num_layers, dropout, train, bidirectional
    return _RUN[first.mode](
        rows, batch_sizes, before, weights, True, len(layers), 0.0, first.training,
        first.bidirectional,
    )[0]  # fmt: skip


def _compact(layers: Sequence[nn.RNNBase], weights: Sequence[Tensor]) -> None:
    """Bring the weights of all layers into one piece of memory, as cuDNN wants them.

    Else it would copy them there at every call.
    """
    if len({weight.untyped_storage().data_ptr() for weight in weights}) > 1:
        with torch.inference_mode(False):
            join_layers(layers).flatten_parameters()


def join_layers(layers: Sequence[nn.RNNBase]) -> nn.RNNBase:
    """One torch layer of several, with the same parameters."""
    first = layers[0]
    stack = type(first)(
        first.input_size,
        first.hidden_size,
        len(layers),
        bidirectional=first.bidirectional,
        device="meta",
    )
    for index, layer in enumerate(layers):
        for name, parameter in layer.named_parameters():
            setattr(stack, name.replace("_l0", f"_l{index}"), parameter)
    return stack


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
