"""Hearing a little of the future without a backward direction."""

import torch.nn.functional as F
from torch import Tensor, nn


class LookaheadConvolution(nn.Module):
    """Mix every frame with those shortly after it, unit by unit.

    r_t = sum of w_j * h_(t+j) over j = 0 ... context, element by element.

    Args:
        size: H, units.
        context: frames ahead.

    Source:
        Wang et al. 2016, "Lookahead Convolution Layer for Unidirectional
        Recurrent Neural Networks"; "Deep Speech 2", arXiv:1512.02595,
        section 3.6.
    """

    def __init__(self, size: int, context: int) -> None:
        super().__init__()
        self.context = context
        self.convolution = nn.Conv1d(size, size, context + 1, groups=size, bias=False)

    def forward(self, frames: Tensor) -> Tensor:
        """Convolve (B, T, H) frames that are zero beyond their lengths."""
        ahead = F.pad(frames.transpose(1, 2), (0, self.context))
        return self.convolution(ahead).transpose(1, 2)
