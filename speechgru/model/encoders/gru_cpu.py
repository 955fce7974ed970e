"""The GRU recurrence on a CPU, with its gradient written out.

Autograd over a loop multiplies and adds the gradient of the recurrent weights
at every frame. Here the loop back in time only finds the gradients of the
gates, from shares that are known beforehand for all frames; the weights get
theirs afterwards, from all frames in one product. All directions advance
together, and the recurrent weights are kept transposed, which the matrix
products of small batches like better. Under autocast the matrix products are those
of its precision; states, gates and sums stay in float32, in which a gate that keeps
for seconds does not round to one that keeps for ever.
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
    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)
    def forward(
        ctx: Any,
        frames: Tensor,
        state: Tensor,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias_ih: Tensor,
        bias_hh: Tensor,
        precision: torch.dtype | None = None,
        keeps: bool = True,
    ) -> Tensor:
        """Run forward.

        Args:
            frames: (D, T, B, F), each direction in its own order of reading.
            state: (D, B, H) before the first frame.
            weight_ih, weight_hh: (D, 3H, F) and (D, 3H, H): reset, update, new.
            bias_ih, bias_hh: (D, 3H).
            precision: of the matrix products; None: that of the weights, as all else.
            keeps: whether to keep what the gradient needs.

        Returns:
            (D, T, B, H) states after each frame.
        """
        directions, num_frames, batch, _ = frames.shape
        hidden = state.size(2)
        precision = precision or weight_hh.dtype
        # First the input half of each sum, then, in its place, the gate.
        gates = frames.new_empty(directions, num_frames, batch, 3 * hidden)
        for rows, output, weight, bias in zip(
            frames.flatten(1, 2), gates.flatten(1, 2), weight_ih, bias_ih,
            strict=True,
        ):  # fmt: skip
            _add_product(bias, rows.to(precision), weight.t().to(precision), output)

        states = frames.new_empty(directions, num_frames + 1, batch, hidden)
        states[:, 0] = state
        # The recurrent half of new, before its reset.
        recurrent_new = frames.new_empty(
            directions, num_frames if keeps else 0, batch, hidden
        )
        reset, update, new = (part.unbind(1) for part in gates.chunk(3, 3))
        sigmoids = gates[..., : 2 * hidden].unbind(1)
        kept, after = recurrent_new.unbind(1), states[:, 1:].unbind(1)
        recurrent = frames.new_empty(directions, batch, 3 * hidden)
        recurrent_sigmoids, recurrent_t = recurrent.split([2 * hidden, hidden], 2)
        weight = weight_hh.transpose(1, 2).to(precision).contiguous()
        bias = bias_hh[:, None].expand_as(recurrent).contiguous()
        converts = precision != states.dtype
        for t, before in enumerate(states[:, :-1].unbind(1)):
            # Each call counts: to a single utterance they are a third of the time.
            left = before.to(precision) if converts else before
            _add_product(bias, left, weight, recurrent)
            sigmoids[t].add_(recurrent_sigmoids).sigmoid_()
            if keeps:
                kept[t].copy_(recurrent_t)
            new[t].addcmul_(reset[t], recurrent_t).tanh_()
            torch.lerp(new[t], before, update[t], out=after[t])
        ctx.precision = precision
        if keeps:
            ctx.save_for_backward(
                frames, states, gates, recurrent_new, weight_ih, weight_hh
            )
        return states[:, 1:]

    @staticmethod
    @once_differentiable
    @torch.amp.custom_bwd(device_type="cpu")
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of `forward`'s arguments, given that of its result."""
        frames, states, gates, recurrent_new, weight_ih, weight_hh = ctx.saved_tensors
        precision = ctx.precision
        weight_ih, weight_hh = weight_ih.to(precision), weight_hh.to(precision)
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
            d_state = d_state * update_t[t]
            _add_product(d_state, d_gates_t[t].to(precision), weight_hh, d_state)

        rows = d_gates.flatten(1, 2)
        d_bias_hh = rows.sum(1)
        d_weight_hh = _sum_of_products(rows, states[:, :-1].flatten(1, 2), precision)
        # To the input side, new is not reset.
        d_gates[..., 2 * hidden :] = d_new
        d_bias_ih = rows.sum(1)
        d_weight_ih = _sum_of_products(rows, frames.flatten(1, 2), precision)
        d_frames = None
        if ctx.needs_input_grad[0]:
            d_frames = torch.bmm(rows.to(precision), weight_ih).to(rows.dtype)
            d_frames = d_frames.view_as(frames)
        d_biases = d_bias_ih, d_bias_hh
        return d_frames, d_state, d_weight_ih, d_weight_hh, *d_biases, None, None


def _add_product(addend: Tensor, left: Tensor, right: Tensor, output: Tensor) -> None:
    """addend + left @ right, of matrices or batches; the sum in its own precision."""
    if left.dtype == output.dtype:
        add = torch.addmm if left.dim() == 2 else torch.baddbmm
        add(addend, left, right, out=output)
    else:
        torch.add(addend, left @ right, out=output)


def _sum_of_products(
    gradients: Tensor, inputs: Tensor, precision: torch.dtype
) -> Tensor:
    """The gradient of a weight (D, 3H, F), of (D, N, 3H) and (D, N, F)."""
    return torch.stack(
        [
            (d.to(precision).t() @ x.to(precision)).to(d.dtype)
            for d, x in zip(gradients, inputs, strict=True)
        ]
    )


def product_precision(num_utterances: int) -> torch.dtype | None:
    """In which the recurrence multiplies matrices: bfloat16 where that is faster.

    Args:
        num_utterances: B; of few, the products are not what takes the time.
    """
    faster = num_utterances >= 8 and torch.cpu._is_avx512_bf16_supported()
    if not torch.is_autocast_enabled("cpu") or not faster:
        return None
    wanted = torch.get_autocast_dtype("cpu")
    return wanted if wanted == torch.bfloat16 else None
