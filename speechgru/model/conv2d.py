"""Subsampling by convolutions over time and frequency."""

from itertools import pairwise

from torch import Tensor, nn

from speechgru.model.subsampling import Subsampling


class Conv2dSubsampling(Subsampling):
    """Shorten the frame sequence by convolutions over time and frequency.

    A pattern is heard alike in neighbouring bands, as a vowel is from another
    speaker. Every convolution halves the number of bands.

    Args:
        input_size: F.
        factor, channels, kernel_size, dropout: as for Subsampling; the kernel
            spans as many bands as frames.

    Source:
        "Deep Speech 2", arXiv:1512.02595, section 3.3, with smaller kernels
        and without batch normalisation.
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
        if kernel_size < 3:
            raise ValueError(
                f"kernel_size is {kernel_size}, expected at least 3 bands; a smaller "
                "one would skip every second"
            )
        sizes = [1, *[channels] * len(self.strides)]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(*pair, kernel_size, (stride, 2), kernel_size // 2)
            for pair, stride in zip(pairwise(sizes), self.strides, strict=True)
        )
        num_bands = input_size
        for _ in self.strides:
            num_bands = (num_bands - 1) // 2 + 1
        self.output_size = channels * num_bands

    def arrange(self, features: Tensor) -> Tensor:
        """Arrange (B, T, F) features as (B, T, 1, F)."""
        return features[:, :, None]
