"""The GRU recurrence on a CPU, with its gradient written out.

Autograd over a loop multiplies and adds the gradient of the recurrent weights
at every frame. Here the loop back in time only finds the gradients of the
gates, from shares that are known beforehand for all frames; the weights get
theirs afterwards, from all frames in one product. All directions advance
together, and the recurrent weights are kept transposed, which the matrix
products of small batches like better.
`benchmarks/speed` measures what this brings.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class GRURecurrence(torch.autograd.Function):
    """Run D directions of a GRU layer over T frames.

    The equations are those of `nn.GRU`, see `encoders/gru_cell.py`.

    Dimensions: D directions, T frames, B utterances, F features, H units.
    """

    @staticmethod
    def forward(
        ctx: Any,
        frames: Tensor,
        state: Tensor,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias_ih: Tensor,
        bias_hh: Tensor,
    ) -> Tensor:
        """Run forward.

        Args:
            frames: (D, T, B, F), each direction in its own order of reading.
            state: (D, B, H) before the first frame.
            weight_ih, weight_hh: (D, 3H, F) and (D, 3H, H): reset, update, new.
            bias_ih, bias_hh: (D, 3H).

        Returns:
            (D, T, B, H) states after each frame.
        """
        directions, num_frames, batch, _ = frames.shape
        hidden = state.size(2)
        # First the input half of each sum, then, in its place, the gate.
        gates = frames.new_empty(directions, num_frames, batch, 3 * hidden)
        for rows, output, weight, bias in zip(
            frames.flatten(1, 2), gates.flatten(1, 2), weight_ih, bias_ih,
            strict=True,
        ):  # fmt: skip
            torch.addmm(bias, rows, weight.t(), out=output)

        states = frames.new_empty(directions, num_frames + 1, batch, hidden)
        states[:, 0] = state
        # The recurrent half of new, before its reset.
        recurrent_new = frames.new_empty(directions, num_frames, batch, hidden)
        reset, update, new = (part.unbind(1) for part in gates.chunk(3, 3))
        sigmoids = gates[..., : 2 * hidden].unbind(1)
        kept, after = recurrent_new.unbind(1), states[:, 1:].unbind(1)
        recurrent = frames.new_empty(directions, batch, 3 * hidden)
        recurrent_sigmoids, recurrent_t = recurrent.split([2 * hidden, hidden], 2)
        weight = weight_hh.transpose(1, 2).contiguous()
        bias = bias_hh[:, None].expand_as(recurrent).contiguous()
        for t, before in enumerate(states[:, :-1].unbind(1)):
            torch.baddbmm(bias, before, weight, out=recurrent)
            sigmoids[t].add_(recurrent_sigmoids).sigmoid_()
            kept[t].copy_(recurrent_t)
            new[t].addcmul_(reset[t], recurrent_t).tanh_()
            torch.lerp(new[t], before, update[t], out=after[t])
        ctx.save_for_backward(
            frames, states, gates, recurrent_new, weight_ih, weight_hh
        )
        return states[:, 1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of `forward`'s arguments, given that of its result."""
        frames, states, gates, recurrent_new, weight_ih, weight_hh = ctx.saved_tensors
        hidden = states.size(3)
        reset, update, new = gates.chunk(3, 3)
        # How much of the state's gradient each gate gets, before its
        # nonlinearity; the loop makes it the gate's own gradient.
        d_gates = torch.empty_like(gates)
        d_reset, d_update, d_recurrent_new = d_gates.chunk(3, 3)
        d_new = torch.ops.aten.tanh_backward(1 - update, new)
        torch.mul(d_new, recurrent_new, out=d_reset)
        torch.sub(states[:, :-1], new, out=d_update)
        for part, gate in ((d_reset, reset), (d_update, update)):
            part.copy_(torch.ops.aten.sigmoid_backward(part, gate))
        torch.mul(d_new, reset, out=d_recurrent_new)

        d_gates_t, d_new_t = d_gates.unbind(1), d_new.unbind(1)
        d_each_gate_t = d_gates.unflatten(3, (3, hidden)).unbind(1)
        update_t, gradients = update.unbind(1), gradient.unbind(1)
        d_state = torch.zeros_like(states[:, 0])
        for t in reversed(range(len(gradients))):
            d_state += gradients[t]
            d_each_gate_t[t].mul_(d_state[:, :, None])
            d_new_t[t].mul_(d_state)
            d_state = torch.baddbmm(d_state * update_t[t], d_gates_t[t], weight_hh)

        rows = d_gates.flatten(1, 2)
        past = states[:, :-1].flatten(1, 2)
        d_weight_hh = torch.stack([d.t() @ h for d, h in zip(rows, past, strict=True)])
        d_bias_hh = rows.sum(1)
        # To the input side, new is not reset.
        d_gates[..., 2 * hidden :] = d_new
        inputs = frames.flatten(1, 2)
        d_weight_ih = torch.stack(
            [d.t() @ x for d, x in zip(rows, inputs, strict=True)]
        )
        d_bias_ih = rows.sum(1)
        d_frames = None
        if ctx.needs_input_grad[0]:
            d_frames = torch.bmm(rows, weight_ih).view_as(frames)
        return d_frames, d_state, d_weight_ih, d_weight_hh, d_bias_ih, d_bias_hh
