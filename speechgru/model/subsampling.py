"""What the convolutional front ends share: strides, lengths and masks."""

import torch.nn.functional as F
from torch import Tensor, nn

from speechgru.features.padding import zero_padding

STRIDES = {
    1: (1,),
    2: (2,),
    3: (3,),
    4: (2, 2),
    5: (5,),
    6: (2, 3),
    7: (7,),
    8: (2, 2, 2),
}
"""One convolution per prime factor."""


class Subsampling(nn.Module):
    """Shorten the frame sequence by strided convolutions.

    Padding is masked before every convolution, so it acts as the zeros that
    surround an utterance framed alone.

    Args:
        factor: 1 to 8, input frames per output frame.
        channels: output channels of every convolution.
        kernel_size: frames, odd; at least twice the largest stride less one.
        dropout: probability, after every convolution.
    """

    convolutions: nn.ModuleList
    """One for each of `strides`; the time axis comes first after the channels."""
    output_size: int

    def __init__(
        self, factor: int, channels: int, kernel_size: int, dropout: float
    ) -> None:
        super().__init__()
        if factor not in STRIDES:
            raise ValueError(f"subsampling factor is {factor}, expected 1 to 8")
        self.strides = STRIDES[factor]
        # A shorter kernel would miss the last frames of an utterance.
        smallest = 2 * max(self.strides) - 1
        if kernel_size % 2 == 0 or kernel_size < smallest:
            raise ValueError(
                f"kernel_size is {kernel_size}, expected an odd number that is at "
                f"least {smallest} for subsampling factor {factor}"
            )
        if channels < 1 or not 0 <= dropout < 1:
            raise ValueError(
                f"channels is {channels} and dropout {dropout}, expected at least "
                "1 channel and a probability below 1"
            )
        self.factor = factor
        self.dropout = dropout

    def output_lengths(self, input_lengths: Tensor) -> Tensor:
        """Frames that leave for frames that enter, exactly."""
        lengths = input_lengths
        for stride in self.strides:
            lengths = (lengths - 1) // stride + 1
        return lengths

    def forward(self, features: Tensor, input_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Subsample a padded batch.

        Args:
            features: (B, T, F) float.
            input_lengths: (B,) int64, frames, each in [1, T].

        Returns:
            subsampled: (B, T', output_size) float, zero beyond each length.
            output_lengths: (B,) int64, frames.
        """
        lengths = input_lengths
        frames = self.arrange(zero_padding(features, lengths))
        for stride, convolution in zip(self.strides, self.convolutions, strict=True):
            frames = F.relu(convolution(frames.transpose(1, 2))).transpose(1, 2)
            frames = F.dropout(frames, self.dropout, self.training)
            lengths = (lengths - 1) // stride + 1
            frames = zero_padding(frames, lengths)
        return frames.flatten(2), lengths

    def arrange(self, features: Tensor) -> Tensor:
        """Arrange (B, T, F) features as (B, T, channels, ...)."""
        return features
