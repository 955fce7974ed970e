"""Means over an epoch and all processes, without a look at the numbers on the way."""

import torch
from torch import Tensor
from torchmetrics import Metric


class Mean(Metric):
    """The sum of what was added, divided by how much it counts.

    Unlike torchmetrics' it does not look for what is no number at every step, for
    which the host would wait for the GPU: the step itself does.
    """

    total: Tensor
    weight: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("weight", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, total: Tensor | float, weight: float) -> None:
        """Add.

        Args:
            total: a number, or () on the device.
            weight: how much it counts, e.g. the number of items.
        """
        self.total += total
        self.weight += weight

    def compute(self) -> Tensor:
        """The mean, ()."""
        return self.total / self.weight
