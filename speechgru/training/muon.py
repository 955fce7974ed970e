"""An optimiser that turns all directions of a matrix at the same rate."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from speechgru.ranges import Range, check

# Of the quintic that takes singular values from (0, 1] to about 1 (0.7 to 1.2)
# in few iterations, rather than to exactly 1 in many.
LINEAR, CUBIC, QUINTIC = 3.4445, -4.7750, 2.0315
ITERATIONS = 5


class Muon(torch.optim.AdamW):
    """AdamW, but for groups of matrices momentum that is made orthogonal.

    The gradient of a recurrent matrix is mostly a few directions, and steps along
    it leave the others unlearned. Here the singular values of a step are all
    about 1; it is then scaled to the size of a usual step of AdamW, so that
    learning rates and weight decay keep their meaning.

    torch.optim.Muon takes the gates of a matrix together and always computes in
    bfloat16, which takes a CPU without such arithmetic five times as long.

    Args:
        groups: of parameters; those with a `block_shape`, (R, C), consist of such
            matrices, each made orthogonal by itself. The others are AdamW's.
        learning_rate: of the groups that have no `lr`.
        momentum: share of the running mean of the gradients that a step leaves;
            of matrices.
        precision: of the products that make a step orthogonal.

    Source:
        Jordan et al., "Muon: An optimizer for hidden layers in neural networks",
        2024, kellerjordan.github.io/posts/muon; the scale: arXiv:2502.16982, (4).
    """

    def __init__(
        self,
        groups: list[dict],
        learning_rate: float,
        momentum: float = 0.95,
        precision: torch.dtype = torch.float32,
    ) -> None:
        check("momentum", momentum, Range(0, 1, below=True))
        super().__init__(groups, lr=learning_rate)
        self.momentum = momentum
        self.precision = precision

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take a loaded state; AdamW's own check is of its groups alone."""
        all_groups = state["param_groups"]
        super().__setstate__({**state, "param_groups": _of_adamw(all_groups)})
        self.param_groups = all_groups

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """Take a step in every group."""
        all_groups = self.param_groups
        self.param_groups = _of_adamw(all_groups)
        try:
            loss = super().step(closure)
        finally:
            self.param_groups = all_groups
        for group in all_groups:
            if "block_shape" in group:
                self._step_matrices(group)
        return loss

    def _step_matrices(self, group: dict) -> None:
        for matrix in group["params"]:
            if matrix.grad is None:
                continue
            state = self.state[matrix]
            if not state:
                state["mean_gradient"] = torch.zeros_like(matrix)
            mean = state["mean_gradient"].lerp_(matrix.grad, 1 - self.momentum)
            ahead = matrix.grad.lerp(mean, self.momentum)  # Nesterov's
            blocks = ahead.reshape(-1, *group["block_shape"])
            scale = 0.2 * max(blocks.shape[1:]) ** 0.5
            steps = [orthogonalize(block, self.precision) for block in blocks]
            step = torch.stack(steps).to(matrix.dtype)
            matrix.mul_(1 - group["lr"] * group["weight_decay"])
            matrix.add_(step.reshape_as(matrix), alpha=-group["lr"] * scale)


def _of_adamw(groups: list[dict]) -> list[dict]:
    return [group for group in groups if "block_shape" not in group]


def orthogonalize(matrix: Tensor, precision: torch.dtype = torch.float32) -> Tensor:
    """Bring the singular values of a matrix near 1, and keep its singular vectors.

    Args:
        matrix: (R, C), of any scale.
        precision: of the products; in bfloat16 singular values err by some percent,
            less than they differ from 1.

    Returns:
        (R, C) in that precision; singular values below about 0.01 of a matrix's norm
        stay smaller, and zeros stay zero.

    Source:
        Newton-Schulz iteration with Jordan's coefficients; see `Muon`.
    """
    if matrix.size(0) > matrix.size(1):
        return orthogonalize(matrix.T, precision).T
    norm = matrix.norm().clamp(min=torch.finfo(matrix.dtype).tiny)
    result = (matrix / norm).to(precision)
    for _ in range(ITERATIONS):
        square = result @ result.T
        factor = torch.addmm(square, square, square, beta=CUBIC, alpha=QUINTIC)
        result = torch.addmm(result, factor, result, beta=LINEAR)
    return result
