"""What the convolutional front ends share: strides, lengths and masks."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from speechgru.blocks import Chain, Each, Windows
from speechgru.features.keyed_draws import utterance_keys
from speechgru.features.padding import ValidFrames, zero_padding
from speechgru.model.dropout import FrameDraws
from speechgru.model.masked_norm import make_norms
from speechgru.ranges import DROPOUT, SIZE, OptionError, check, whole

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
"""A stride per prime factor."""

FACTOR = whole(1, max(STRIDES))
KERNEL = whole(1, 999)  # frames
DEPTH = whole(1, 100)  # convolutions


class Subsampling(nn.Module, ABC):
    """Shorten the frame sequence by strided convolutions.

    Padding is masked before every convolution, so it acts as the zeros that
    surround an utterance framed alone.

    Args:
        input_size: F, bands of a frame.
        factor: 1 to 8, input frames per output frame.
        channels: output channels of every convolution.
        kernel_size: frames, odd; at least twice the largest stride less one.
        dropout: probability, after every convolution.
        depth: convolutions for each prime factor of `factor`, the first of which
            has the stride.
        norm: "batch", "layer" or None; of the channels, after every convolution.
    """

    output_size: int

    def __init__(
        self,
        input_size: int,
        factor: int,
        channels: int,
        kernel_size: int,
        dropout: float = 0.0,
        depth: int = 1,
        norm: str | None = None,
    ) -> None:
        super().__init__()
        check("factor", factor, FACTOR)
        check("channels", channels, SIZE)
        check("kernel_size", kernel_size, KERNEL)
        check("dropout", dropout, DROPOUT)
        check("depth", depth, DEPTH)
        others = [1] * (depth - 1)
        self.strides = [s for stride in STRIDES[factor] for s in (stride, *others)]
        # A shorter kernel would miss the last frames of an utterance.
        smallest = 2 * max(self.strides) - 1
        if kernel_size % 2 == 0 or kernel_size < smallest:
            raise OptionError(
                f"kernel_size is {kernel_size}, expected an odd number that is at "
                f"least {smallest} for subsampling factor {factor}"
            )
        self.factor = factor
        self.depth = depth
        self.dropout = dropout
        self.convolutions = nn.ModuleList(
            self.make_convolutions(input_size, channels, kernel_size)
        )
        self.norms = make_norms(norm, channels, len(self.strides))

    @abstractmethod
    def make_convolutions(
        self, input_size: int, channels: int, kernel_size: int
    ) -> Iterator[nn.Module]:
        """Make one for each of `strides`, and set `output_size`.

        The time axis comes first after the channels.
        """

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
        for index, stride in enumerate(self.strides):
            frames = self.convolutions[index](frames)
            lengths = (lengths - 1) // stride + 1
            valid = ValidFrames(lengths, frames.size(2), frames.device)
            if self.norms:
                places = frames.movedim(1, -1)
                frames = self.norms[index](places, valid).movedim(-1, 1)
            frames = self._drop(F.relu(frames), index)
            mask = valid.mask
            frames = frames * mask.view(len(mask), 1, -1, *[1] * (frames.dim() - 3))
        return frames.transpose(1, 2).flatten(2), lengths

    def by_blocks(self) -> Chain:
        """A stream of (B, T, F) to (B, T', output_size); see `blocks.BlockStage`."""
        convolutions = [
            Windows(partial(self._convolve, index), size, stride, size // 2, size // 2)
            for index, stride in enumerate(self.strides)
            for size in [self.convolutions[index].kernel_size[0]]
        ]
        arranged = Each(lambda features: self.arrange(features).transpose(1, 2))
        return Chain([arranged, *convolutions, Each(lambda frames: frames.flatten(2))])

    def _convolve(self, index: int, frames: Tensor) -> Tensor:
        """Run one convolution over (B, T, channels, ...), which nothing surrounds."""
        convolution = self.convolutions[index]
        padding = [0, *convolution.padding[1:]]
        convolved = torch.convolution(
            frames.transpose(1, 2), convolution.weight, convolution.bias,
            convolution.stride, padding, convolution.dilation, False,
            [0] * len(padding), convolution.groups,
        )  # fmt: skip
        if self.norms:
            places = convolved.movedim(1, -1)
            convolved = self.norms[index](places.flatten(0, -2), None)
            convolved = convolved.view(places.shape).movedim(-1, 1)
        return F.relu(convolved).transpose(1, 2)

    def _drop(self, frames: Tensor, index: int) -> Tensor:
        """Drop out units of (B, channels, T, ...) behind a convolution."""
        if not self.training or not self.dropout:
            return frames
        places = frames.movedim(1, -1)  # as a channels-last convolution leaves them
        draws = FrameDraws(utterance_keys(len(places)), places.size(1), places.device)
        kept = draws.drop(places.flatten(2), self.dropout, f"convolution {index}")
        return kept.view(places.shape).movedim(-1, 1)

    def arrange(self, features: Tensor) -> Tensor:
        """Arrange (B, T, F) features as (B, channels, T, ...)."""
        return features.transpose(1, 2)
