"""How often a model hears each token, as it was in the epoch before."""

import torch
from torch import Tensor

from speechgru.features.padding import valid_frames
from speechgru.training.epoch_sums import EpochSums

LEAST = -12.0
"""Natural log; a token that is never heard is not divided by nothing."""


class LabelPriors(EpochSums):
    """The mean probabilities of tokens over all frames of an epoch of training.

    Args:
        num_tokens: C, the blank included.

    Attributes:
        log_priors: (C,) float32, natural log; 0 until an epoch is over.

    Source:
        Huang et al., "Less peaky and more accurate CTC forced alignment by label
        priors", arXiv:2406.02560.
    """

    log_priors: Tensor

    def __init__(self, num_tokens: int) -> None:
        super().__init__(num_tokens + 1)  # of tokens, and of frames
        self.register_buffer("log_priors", torch.zeros(num_tokens))

    def learn(self) -> None:
        """See `EpochSums`."""
        means = self.sums[:-1] / self.sums[-1].clamp(min=1)
        self.log_priors.copy_(means.log().clamp(min=LEAST))

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
        self.add(torch.cat([sums, valid.sum()[None].to(sums)]))
