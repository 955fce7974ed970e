"""Subsampling by convolutions over time."""

from itertools import pairwise

from torch import nn

from speechgru.model.subsampling import Subsampling


class Conv1dSubsampling(Subsampling):
    """Shorten the frame sequence by convolutions over time; bands are channels.

    Args:
        input_size: F.
        factor, channels, kernel_size, dropout: as for Subsampling.
    """

    def __init__(
        self,
        input_size: int,
        factor: int,
        channels: int,
        kernel_size: int,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(factor, channels, kernel_size, dropout)
        self.output_size = channels
        sizes = [input_size, *[channels] * len(self.strides)]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(*pair, kernel_size, stride, kernel_size // 2)
            for pair, stride in zip(pairwise(sizes), self.strides, strict=True)
        )
