"""The GRU encoder."""

import torch
from torch import Tensor, nn

from speechgru.features.padding import ValidFrames
from speechgru.model.encoders.gru_cell import GRUTrace, trace_gru
from speechgru.model.encoders.gru_cpu import GRURecurrence, product_precision
from speechgru.model.encoders.torch_recurrent import TorchRecurrentEncoder


class GRUEncoder(TorchRecurrentEncoder):
    """Encode feature frames with stacked gated recurrent units.

    A reset gate says how much of the past enters the new candidate, an update
    gate how much of the past is kept instead of it; `encoders/gru_cell.py` has
    the equations. The arguments are those of RecurrentEncoder.

    Source:
        "Learning Phrase Representations using RNN Encoder-Decoder",
        arXiv:1406.1078; stacked over speech as in "Deep Speech 2",
        arXiv:1512.02595, section 3, whose two directions are summed; here
        they are concatenated.
    """

    torch_layer = nn.GRU

    def run(
        self, layer: nn.GRU, aligned: Tensor, valid: ValidFrames, state: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Run every direction of a layer; see RecurrentEncoder."""
        if aligned.device.type != "cpu":
            return super().run(layer, aligned, valid, state)
        if state is None:
            state = aligned.new_zeros(len(aligned), aligned.size(2), self.hidden_size)
        weights = (
            torch.stack(parameters)
            for parameters in zip(*self.parameters_of(layer), strict=True)
        )
        precision = product_precision(aligned.size(2))
        encoded = GRURecurrence.apply(
            aligned, state, *weights, precision, torch.is_grad_enabled()
        )
        return encoded, encoded[:, -1]

    def trace_gates(
        self, features: Tensor, input_lengths: Tensor
    ) -> list[list[GRUTrace]]:
        """What the gates of each layer and direction do, (B, T, H) each."""
        steps = self.walk(features, input_lengths)
        return [
            trace_gru(layer, inputs, input_lengths)
            for layer, (inputs, _) in zip(self.layers, steps, strict=True)
        ]
