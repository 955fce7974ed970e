"""Sums over an epoch of training, which the next one uses."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class EpochSums(nn.Module):
    """Add up what the steps of an epoch observe, and learn from it once it is over.

    The sums are the same on all processes, and lie in checkpoints: a run goes on
    exactly.

    Args:
        size: of the sums.
    """

    sums: Tensor

    def __init__(self, *size: int) -> None:
        super().__init__()
        self.register_buffer("sums", torch.zeros(size, dtype=torch.float64))
        self._of_step: Tensor | None = None
        self._epoch = 0

    def learn(self) -> None:
        """Take what the sums of a whole epoch say."""
        raise NotImplementedError

    def begin(self, epoch: int) -> None:
        """Learn from the epoch before, if this step is of another one."""
        if epoch != self._epoch:
            self.learn()
            self.sums.zero_()
            self._epoch = epoch

    def add(self, sums: Tensor) -> None:
        """Add what a part of a step observes on this process."""
        self._of_step = sums if self._of_step is None else self._of_step + sums

    def end_step(self, add_up: Callable[[Tensor], Tensor]) -> None:
        """Take the step into the epoch.

        Args:
            add_up: a tensor over all processes.
        """
        if self._of_step is not None:
            self.sums += add_up(self._of_step)
            self._of_step = None

    def get_extra_state(self) -> Tensor:
        """The epoch of the sums; the host need not ask a GPU for it."""
        return torch.tensor(self._epoch)

    def set_extra_state(self, state: Any) -> None:
        """Go on with the epoch of the sums."""
        self._epoch = int(state)
