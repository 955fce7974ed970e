"""How often a model hears each token, as it was in the epoch before."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from speechgru.features.padding import valid_frames

LEAST = -12.0
"""Natural log; a token that is never heard is not divided by nothing."""


class LabelPriors(nn.Module):
    """The mean probabilities of tokens over all frames of an epoch of training.

    They are the same on all processes, and lie in checkpoints with what the epoch has
    added so far: a run goes on exactly.

    Args:
        num_tokens: C, the blank included.

    Attributes:
        log_priors: (C,) float32, natural log; 0 until an epoch is over.

    Source:
        Huang et al., "Less peaky and more accurate CTC forced alignment by label
        priors", arXiv:2406.02560.
    """

    log_priors: Tensor
    sums: Tensor

    def __init__(self, num_tokens: int) -> None:
        super().__init__()
        self.register_buffer("log_priors", torch.zeros(num_tokens))
        # Of tokens, and of frames.
        self.register_buffer("sums", torch.zeros(num_tokens + 1, dtype=torch.float64))
        self._of_step: Tensor | None = None
        self._epoch = 0

    def begin(self, epoch: int) -> None:
        """Take what an epoch has added up, if this step is of another one."""
        if epoch != self._epoch:
            means = self.sums[:-1] / self.sums[-1].clamp(min=1)
            self.log_priors.copy_(means.log().clamp(min=LEAST))
            self.sums.zero_()
            self._epoch = epoch

    @torch.no_grad()
    def observe(self, log_probs: Tensor, output_lengths: Tensor) -> None:
        """Add up what a part of a step hears on this process.

        Args:
            log_probs: (B, T, C) natural log.
            output_lengths: (B,) int64, frames, on the host.
        """
        valid = valid_frames(output_lengths, log_probs.size(1), log_probs.device)
        heard = torch.where(valid[..., None], log_probs.exp(), 0.0)
        sums = heard.sum(dim=(0, 1), dtype=torch.float64)
        sums = torch.cat([sums, valid.sum()[None].to(sums)])
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
