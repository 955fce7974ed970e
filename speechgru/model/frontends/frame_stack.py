"""Subsampling by stacking neighbouring frames."""

import torch.nn.functional as F
from torch import Tensor, nn

from speechgru.blocks import Windows
from speechgru.features.padding import zero_padding
from speechgru.model.frontends.subsampling import FACTOR
from speechgru.ranges import check


class FrameStack(nn.Module):
    """Make one long frame of every `factor` frames; nothing is learned.

    The last frame of an utterance is filled up with zeros.

    Args:
        input_size: F.
        factor: 1 to 8, input frames per output frame.

    Source:
        Sak et al. 2015, "Fast and Accurate Recurrent Neural Network Acoustic
        Models for Speech Recognition", arXiv:1507.06947, section 2.2.
    """

    def __init__(self, input_size: int, factor: int) -> None:
        super().__init__()
        check("factor", factor, FACTOR)
        self.factor = factor
        self.output_size = input_size * factor

    def output_lengths(self, input_lengths: Tensor) -> Tensor:
        """Frames that leave for frames that enter, exactly."""
        return (input_lengths - 1) // self.factor + 1

    def forward(self, features: Tensor, input_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Stack a padded batch.

        Args:
            features: (B, T, F) float.
            input_lengths: (B,) int64, frames, each in [1, T].

        Returns:
            stacked: (B, T', factor x F) float, zero beyond each length.
            output_lengths: (B,) int64, frames.
        """
        frames = zero_padding(features, input_lengths)
        missing = -frames.size(1) % self.factor
        frames = F.pad(frames, (0, 0, 0, missing))
        return self._stack(frames), self.output_lengths(input_lengths)

    def by_blocks(self) -> Windows:
        """A stream of (B, T, F) to (B, T', factor x F); see `blocks.BlockStage`."""
        return Windows(self._stack, self.factor, self.factor, after=self.factor - 1)

    def _stack(self, frames: Tensor) -> Tensor:
        """Stack (B, factor x T', F) frames."""
        return frames.unflatten(1, (-1, self.factor)).flatten(2)
