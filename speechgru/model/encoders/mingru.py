"""The minimal GRU encoder."""

from typing import Any

import torch
from torch import Tensor, nn

from speechgru.features.padding import ValidFrames
from speechgru.model.encoders.linear_scan import linear_scan
from speechgru.model.encoders.recurrent import RecurrentEncoder


class MinGRUEncoder(RecurrentEncoder):
    """Encode feature frames with stacked minimal gated recurrent units.

    Gate and candidate look at the input alone, so a layer is linear in its
    own past, and all frames are computed together by a parallel scan:

        z_t = sigmoid(W_z x_t + b_z)
        c_t = W_c x_t + b_c
        h_t = (1 - z_t) * h_(t-1) + z_t * c_t

    As in the paper, z here is how much is new; in a GRU of torch it is how
    much is kept. The arguments are those of RecurrentEncoder.

    Source:
        Feng et al. 2024, "Were RNNs All We Needed?", arXiv:2410.01201,
        section 3.1.
    """

    has_recurrent_weights = False

    def make_layer(self, input_size: int) -> nn.Module:
        """One linear map for each direction, to gate and candidate."""
        return nn.ModuleList(
            nn.Linear(input_size, 2 * self.hidden_size)
            for _ in range(2 if self.bidirectional else 1)
        )

    def run(
        self, layer: Any, aligned: Tensor, valid: ValidFrames, state: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Run every direction of a layer; see RecurrentEncoder."""
        projected = torch.stack(
            [linear(frames) for linear, frames in zip(layer, aligned, strict=True)]
        )
        # Autocast's half precision would round a gate that keeps for seconds to
        # one that keeps for ever.
        projected = projected.to(layer[0].weight.dtype)
        update, candidate = projected.chunk(2, dim=3)
        update = update.sigmoid()
        if state is None:
            state = torch.zeros_like(candidate[:, 0])
        encoded = linear_scan(1 - update, update * candidate, state)
        return encoded, encoded[:, -1]
