"""Feature normalisation that ignores padding."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from speechgru.features.padding import valid_frames, zero_padding
from speechgru.options import check, whole

MIN_STD = 1e-2
"""Natural-log units; a constant band is centred, not blown up."""


class NoNorm(nn.Module):
    """Leave features as they are."""

    def forward(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Return (B, T, F) unchanged."""
        return features


class UtteranceNorm(nn.Module):
    """Give each feature zero mean and unit variance within each utterance."""

    def forward(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Normalise (B, T, F) with lengths (B,) in frames; padding stays zero."""
        count = lengths[:, None, None]
        mean = zero_padding(features, lengths).sum(1, keepdim=True) / count
        centred = zero_padding(features - mean, lengths)
        variance = centred.square().sum(1, keepdim=True) / count
        return centred / variance.sqrt().clamp(min=MIN_STD)


class GlobalNorm(nn.Module):
    """Give each feature zero mean and unit variance over the training set.

    The statistics are buffers: they are estimated once, before training, and
    travel with the checkpoint.

    Args:
        input_size: F.
        num_utterances: size of the training sample that `fit` is given.
    """

    def __init__(self, input_size: int, num_utterances: int = 500) -> None:
        super().__init__()
        check("num_utterances", num_utterances, whole(1, 1_000_000_000))
        self.num_utterances = num_utterances
        self.register_buffer("mean", torch.zeros(input_size))
        self.register_buffer("std", torch.ones(input_size))

    @torch.no_grad()
    def fit(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Estimate the statistics, in float64.

        Args:
            batches: (B, T, F) features with (B,) lengths in frames.
        """
        count, total, total_squares = 0, 0.0, 0.0
        for features, lengths in batches:
            frames = features[valid_frames(lengths, features.size(1))].double()
            count += len(frames)
            total = total + frames.sum(0)
            total_squares = total_squares + frames.square().sum(0)
        if not count:
            raise ValueError("no frames to estimate the normalisation from")
        mean = total / count
        std = (total_squares / count - mean.square()).clamp(min=0).sqrt()
        self.mean.copy_(mean)
        self.std.copy_(std.clamp(min=MIN_STD))

    def forward(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Normalise (B, T, F) with lengths (B,) in frames; padding stays zero."""
        return zero_padding((features - self.mean) / self.std, lengths)
