"""The exponential moving average of a model's weights."""

import copy

import torch
from torch import Tensor, nn


class MovingAverage(nn.Module):
    """A copy of a model that follows it slowly.

    At first less is kept, so that the average soon forgets how it began. Buffers are
    those of the model.

    Args:
        model: what is averaged.
        kept: share of the average that a step leaves, in the long run, e.g. 0.999.

    Attributes:
        module: the copy.
    """

    n_averaged: Tensor

    def __init__(self, model: nn.Module, kept: float) -> None:
        super().__init__()
        self.module = copy.deepcopy(model).requires_grad_(False)
        self.kept = kept
        self.register_buffer("n_averaged", torch.tensor(0))

    @torch.no_grad()
    def update(self, model: nn.Module, num_steps: int) -> None:
        """Take the weights of a step in.

        Args:
            model: after the step.
            num_steps: before it. The host knows them: it need not ask a GPU for
                `n_averaged`, which is kept for checkpoints only.
        """
        averages, weights = list(self.module.parameters()), list(model.parameters())
        if num_steps == 0:
            torch._foreach_copy_(averages, weights)
        else:
            kept = min(self.kept, (1 + num_steps) / (10 + num_steps))
            torch._foreach_lerp_(averages, weights, 1 - kept)
        for own, buffer in zip(self.module.buffers(), model.buffers(), strict=True):
            own.copy_(buffer)
        self.n_averaged += 1
