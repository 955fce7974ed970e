"""Convolutional subsampling over time."""

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


class Conv1dSubsampling(nn.Module):
    """Shorten the frame sequence by strided convolutions over time.

    Padding is masked before every convolution, so it acts as the zeros that
    surround an utterance framed alone.

    Args:
        input_size: F.
        factor: 1 to 8, input frames per output frame.
        channels: output size of every convolution.
        kernel_size: frames, odd; at least twice the largest stride less one.
        dropout: probability, after every convolution.
    """

    def __init__(
        self,
        input_size: int,
        factor: int,
        channels: int,
        kernel_size: int,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if factor not in STRIDES:
            raise ValueError(f"subsampling factor is {factor}, expected 1 to 8")
        strides = STRIDES[factor]
        # A shorter kernel would miss the last frames of an utterance.
        smallest = 2 * max(strides) - 1
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
        self.output_size = channels
        self.dropout = dropout
        self.convolutions = nn.ModuleList(
            nn.Conv1d(size, channels, kernel_size, stride, kernel_size // 2)
            for size, stride in zip(
                [input_size, *[channels] * len(strides)], strides, strict=False
            )
        )

    def output_lengths(self, input_lengths: Tensor) -> Tensor:
        """Frames that leave for frames that enter, exactly."""
        lengths = input_lengths
        for convolution in self.convolutions:
            lengths = (lengths - 1) // convolution.stride[0] + 1
        return lengths

    def forward(self, features: Tensor, input_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Subsample a padded batch.

        Args:
            features: (B, T, F) float.
            input_lengths: (B,) int64, frames, each in [1, T].

        Returns:
            subsampled: (B, T', channels) float, zero beyond each length.
            output_lengths: (B,) int64, frames.
        """
        frames, lengths = zero_padding(features, input_lengths), input_lengths
        for convolution in self.convolutions:
            frames = F.relu(convolution(frames.transpose(1, 2))).transpose(1, 2)
            frames = F.dropout(frames, self.dropout, self.training)
            lengths = (lengths - 1) // convolution.stride[0] + 1
            frames = zero_padding(frames, lengths)
        return frames, lengths
