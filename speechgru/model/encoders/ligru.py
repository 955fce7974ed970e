"""The light GRU encoder."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from speechgru.features.padding import ValidFrames
from speechgru.model.encoders.recurrent import RecurrentEncoder
from speechgru.model.masked_norm import MaskedBatchNorm


class LiGRUEncoder(RecurrentEncoder):
    """Encode feature frames with stacked light gated recurrent units.

    A GRU without its reset gate, with ReLU for tanh, and with batch
    normalisation of what comes from the input (see MaskedBatchNorm):

        z_t = sigmoid(BN(W_z x_t) + U_z h_(t-1))
        c_t = relu(BN(W_c x_t) + U_c h_(t-1))
        h_t = z_t * h_(t-1) + (1 - z_t) * c_t

    The arguments are those of RecurrentEncoder.

    Source:
        Ravanelli et al. 2018, "Light Gated Recurrent Units for Speech
        Recognition", arXiv:1803.10225, whose orthogonal initialisation of
        the recurrent weights is used here, too.
    """

    def make_layer(self, input_size: int) -> nn.Module:
        """The parameters of one layer."""
        return _LiGRULayer(input_size, self.hidden_size, self.bidirectional)

    def run(
        self,
        layer: Any,
        aligned: Tensor,
        valid: ValidFrames,
        state: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Run every direction of a layer; see RecurrentEncoder."""
        projected = torch.stack(
            [
                norm(frames @ weight.t(), valid)
                for frames, weight, norm in zip(
                    aligned, layer.weight_ih, layer.norms, strict=True
                )
            ]
        ).to(layer.weight_hh.dtype)
        update, candidate = projected.chunk(2, dim=3)
        # In padding the update gate is 1, which keeps the state: its ReLU would
        # let it grow past all numbers, and padding be NaN instead of nothing.
        update = update.masked_fill(~valid.mask[..., None], math.inf)
        projected = torch.cat([update, candidate], dim=3)
        if state is None:
            state = projected.new_zeros(len(aligned), aligned.size(2), self.hidden_size)
        (weight,) = self.drop_weights(layer, [layer.weight_hh])
        encoded = LiGRURecurrence.apply(projected, state, weight)
        return encoded, encoded[:, -1]


class _LiGRULayer(nn.Module):
    def __init__(self, input_size: int, hidden_size: int, bidirectional: bool) -> None:
        super().__init__()
        directions = 2 if bidirectional else 1
        gates = 2 * hidden_size
        self.weight_ih = nn.Parameter(torch.empty(directions, gates, input_size))
        self.weight_hh = nn.Parameter(torch.empty(directions, gates, hidden_size))
        self.norms = nn.ModuleList(MaskedBatchNorm(gates) for _ in range(directions))
        for weights in self.weight_ih:
            nn.init.xavier_uniform_(weights)
        for weights in self.weight_hh.unflatten(1, (2, hidden_size)).flatten(0, 1):
            nn.init.orthogonal_(weights)


class LiGRURecurrence(torch.autograd.Function):
    """Run D directions of a light GRU layer over T frames.

    Its gradient is written out for the reason given in `encoders/gru_cpu.py`.

    Dimensions: D directions, T frames, B utterances, H units.
    """

    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)
    def forward(
        ctx: Any, projected: Tensor, state: Tensor, weight_hh: Tensor
    ) -> Tensor:
        """Run forward.

        Args:
            projected: (D, T, B, 2H), what the input says of update and candidate.
            state: (D, B, H) before the first frame.
            weight_hh: (D, 2H, H): update, candidate.

        Returns:
            (D, T, B, H) states after each frame.
        """
        directions, num_frames, batch, _ = projected.shape
        states = torch.cat([state[:, None], projected.new_empty(
            directions, num_frames, batch, state.size(2)
        )], dim=1)  # fmt: skip
        gates = torch.empty_like(projected)
        weight = weight_hh.transpose(1, 2).contiguous()
        after = states[:, 1:].unbind(1)
        inputs, outputs = projected.unbind(1), gates.unbind(1)
        for t, before in enumerate(states[:, :-1].unbind(1)):
            torch.baddbmm(inputs[t], before, weight, out=outputs[t])
            update, candidate = outputs[t].chunk(2, dim=2)
            update.sigmoid_()
            candidate.relu_()
            torch.lerp(candidate, before, update, out=after[t])
        ctx.save_for_backward(states, gates, weight_hh)
        return states[:, 1:]

    @staticmethod
    @once_differentiable
    @torch.amp.custom_bwd(device_type="cpu")
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, ...]:
        """Gradients of `forward`'s arguments, given that of its result."""
        states, gates, weight_hh = ctx.saved_tensors
        d_projected = torch.empty_like(gates)
        d_projected_t, gates_t = d_projected.unbind(1), gates.unbind(1)
        before, gradients = states[:, :-1].unbind(1), gradient.unbind(1)
        d_state = torch.zeros_like(states[:, 0])
        for t in reversed(range(gates.size(1))):
            d_state += gradients[t]
            update, candidate = gates_t[t].chunk(2, dim=2)
            d_update, d_candidate = d_projected_t[t].chunk(2, dim=2)
            passed = d_state * update
            torch.mul(d_state - passed, candidate > 0, out=d_candidate)
            # update: d (h - c) z (1 - z)
            taken = torch.sub(before[t], candidate).mul_(passed)
            torch.addcmul(taken, taken, update, value=-1, out=d_update)
            d_state = torch.baddbmm(passed, d_projected_t[t], weight_hh)
        rows, past = d_projected.flatten(1, 2), states[:, :-1].flatten(1, 2)
        d_weight = torch.stack([d.t() @ h for d, h in zip(rows, past, strict=True)])
        return d_projected, d_state, d_weight
