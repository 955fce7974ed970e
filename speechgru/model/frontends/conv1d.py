"""Subsampling by convolutions over time."""

from collections.abc import Iterator
from itertools import pairwise

from torch import nn

from speechgru.model.frontends.subsampling import Subsampling


class Conv1dSubsampling(Subsampling):
    """Shorten the frame sequence by convolutions over time; bands are channels.

    The arguments are those of Subsampling.
    """

    def make_convolutions(
        self, input_size: int, channels: int, kernel_size: int
    ) -> Iterator[nn.Module]:
        """See Subsampling."""
        sizes = [input_size, *[channels] * len(self.strides)]
        for pair, stride in zip(pairwise(sizes), self.strides, strict=True):
            yield nn.Conv1d(*pair, kernel_size, stride, kernel_size // 2)
        self.output_size = channels
