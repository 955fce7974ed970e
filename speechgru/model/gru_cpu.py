"""The GRU recurrence on a CPU, with its gradient written out.

Autograd over a loop multiplies and adds the gradient of the recurrent weights
at every frame. Here the loop back in time only finds the gradients of the
gates; the weights get theirs afterwards, from all frames in one product. All
directions advance together, and the recurrent weights are kept transposed,
which the matrix products of small batches like better.
`recipes/speed` measures what this brings.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class GRURecurrence(torch.autograd.Function):
    """Run D directions of a GRU layer over T frames.

    The equations are those of `nn.GRU`, see `model/gru_cell.py`.

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
        projected = frames.new_empty(directions, num_frames, batch, 3 * hidden)
        for rows, output, weight, bias in zip(
            frames.flatten(1, 2), projected.flatten(1, 2), weight_ih, bias_ih,
            strict=True,
        ):  # fmt: skip
            torch.addmm(bias, rows, weight.t(), out=output)

        states = frames.new_empty(directions, num_frames + 1, batch, hidden)
        states[:, 0] = state
        # reset, update, new, and the recurrent half of new before its reset;
        # without a gradient to come, one frame's space serves them all.
        kept = num_frames if any(ctx.needs_input_grad) else 1
        gates = frames.new_empty(directions, kept, batch, 4 * hidden)
        reset, update, new, recurrent_new = (
            part.expand(-1, num_frames, -1, -1).unbind(1) for part in gates.chunk(4, 3)
        )
        sigmoids = gates[..., : 2 * hidden].expand(-1, num_frames, -1, -1).unbind(1)
        projected_sigmoids, projected_new = (
            part.unbind(1) for part in projected.split([2 * hidden, hidden], 3)
        )
        recurrent = frames.new_empty(directions, batch, 3 * hidden)
        weight = weight_hh.transpose(1, 2).contiguous()
        bias = bias_hh[:, None].expand_as(recurrent).contiguous()
        after = states[:, 1:].unbind(1)
        for t, before in enumerate(states[:, :-1].unbind(1)):
            torch.baddbmm(bias, before, weight, out=recurrent)
            recurrent_sigmoids, recurrent_new_t = recurrent.split(
                [2 * hidden, hidden], 2
            )
            torch.add(projected_sigmoids[t], recurrent_sigmoids, out=sigmoids[t])
            sigmoids[t].sigmoid_()
            recurrent_new[t].copy_(recurrent_new_t)
            torch.addcmul(projected_new[t], reset[t], recurrent_new_t, out=new[t])
            new[t].tanh_()
            torch.lerp(new[t], before, update[t], out=after[t])
        ctx.save_for_backward(frames, states, gates, weight_ih, weight_hh)
        return states[:, 1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, ...]:
        """Gradients of `forward`'s arguments, given that of its result."""
        frames, states, gates, weight_ih, weight_hh = ctx.saved_tensors
        directions, num_frames, batch, _ = frames.shape
        hidden = states.size(3)
        reset, update, new, recurrent_new = (
            part.unbind(1) for part in gates.chunk(4, 3)
        )
        before = states[:, :-1].unbind(1)
        gradients = gradient.unbind(1)
        # Of reset, update and recurrent_new, before their nonlinearities.
        d_gates = frames.new_empty(directions, num_frames, batch, 3 * hidden)
        d_new = frames.new_empty(directions, num_frames, batch, hidden)
        d_gates_t, d_new_t = d_gates.unbind(1), d_new.unbind(1)
        d_state = torch.zeros_like(states[:, 0])
        for t in reversed(range(num_frames)):
            d_state += gradients[t]
            d_reset, d_update, d_recurrent_new = d_gates_t[t].chunk(3, 2)
            passed = d_state * update[t]
            # new: d (1 - z) (1 - n^2)
            taken = torch.sub(d_state, passed)
            torch.addcmul(taken, taken * new[t], new[t], value=-1, out=d_new_t[t])
            torch.mul(d_new_t[t], reset[t], out=d_recurrent_new)
            # reset: (d new) q r (1 - r), with q = recurrent_new
            torch.mul(d_recurrent_new, recurrent_new[t], out=taken)
            torch.addcmul(taken, taken, reset[t], value=-1, out=d_reset)
            # update: d (h - n) z (1 - z)
            torch.sub(before[t], new[t], out=taken).mul_(passed)
            torch.addcmul(taken, taken, update[t], value=-1, out=d_update)
            d_state = torch.baddbmm(passed, d_gates_t[t], weight_hh)

        ones = frames.new_ones(num_frames * batch)  # a product sums faster than sum
        rows = d_gates.flatten(1, 2)
        past = states[:, :-1].flatten(1, 2)
        d_weight_hh = torch.stack([d.t() @ h for d, h in zip(rows, past, strict=True)])
        d_bias_hh = torch.stack([d.t() @ ones for d in rows])
        # To the input side, new is not reset.
        d_gates[..., 2 * hidden :] = d_new
        inputs = frames.flatten(1, 2)
        d_weight_ih = torch.stack(
            [d.t() @ x for d, x in zip(rows, inputs, strict=True)]
        )
        d_bias_ih = torch.stack([d.t() @ ones for d in rows])
        d_frames = None
        if ctx.needs_input_grad[0]:
            d_frames = torch.stack(
                [d @ w for d, w in zip(rows, weight_ih, strict=True)]
            ).view_as(frames)
        return d_frames, d_state, d_weight_ih, d_weight_hh, d_bias_ih, d_bias_hh
