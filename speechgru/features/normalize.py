"""Feature normalisation that ignores padding."""

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from speechgru.features.padding import send, valid_frames, zero_padding
from speechgru.ranges import Range, check, whole

MIN_STD = 1e-2
"""Natural-log units; a constant band is centred, not blown up."""

MIN_ACTIVE_STD = 1.0
"""Natural-log units. Speech has 1.2 to 5 in a band (of AN4 and synthetic digits);
noise pi / sqrt(6) = 1.28 in a single bin of the transform, less in a wide band."""

LEVEL_FRAMES = 7
"""An odd number, of frames around a frame."""

MARGIN_WIDTH = 2.0
"""dB; so far from the margin a frame counts 0.27 or 0.73."""

DECIBELS = 10 / math.log(10)
"""Of a natural-log unit of energy."""


@runtime_checkable
class BlockNorm(Protocol):
    """A normalisation that can go through a recording block by block.

    Attributes:
        hears_all: whether a frame depends on all frames of its recording.
    """

    hears_all: bool

    def settle(self, blocks: Iterable[Tensor]) -> Callable[[Tensor], Tensor]:
        """Find out from a whole recording what is done to its frames.

        Args:
            blocks: (B, T, F) each, of B recordings side by side; they may be gone
                through twice. Nothing is asked of them unless `hears_all`.

        Returns:
            Normalises (B, T, F), any frames of these recordings.
        """


class NoNorm(nn.Module):
    """Leave features as they are."""

    hears_all = False

    def forward(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Return (B, T, F) unchanged."""
        return features

    def settle(self, blocks: Iterable[Tensor]) -> Callable[[Tensor], Tensor]:
        """See `BlockNorm`."""
        return lambda features: features


class UtteranceNorm(nn.Module):
    """Give each feature zero mean and unit variance within each utterance."""

    hears_all = True

    def forward(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Normalise (B, T, F) with lengths (B,) in frames; padding stays zero."""
        count = send(lengths, features.device)[:, None, None]
        mean = zero_padding(features, lengths).sum(1, keepdim=True) / count
        centred = zero_padding(features - mean, lengths)
        variance = centred.square().sum(1, keepdim=True) / count
        return centred / variance.sqrt().clamp(min=MIN_STD)

    def settle(self, blocks: Iterable[Tensor]) -> Callable[[Tensor], Tensor]:
        """See `BlockNorm`."""
        mean, std = _weighted_moments(
            (block, block.new_ones(block.shape[:2])) for block in blocks
        )
        return partial(_standardize, mean=mean, std=std.clamp(min=MIN_STD))


class ActiveNorm(nn.Module):
    """Give each feature zero mean and unit variance over the frames of speech.

    Silence and noise that are `margin` softer than the speech do not count, so
    recordings with more or less of them are normalised alike. Values are held
    within `limit` deviations: what is far below the speech, such as digital
    silence, all looks the same.

    A frame's level is the median of `LEVEL_FRAMES` around it, which a click
    does not reach. The level of the speech is the mean of all levels, weighted
    by their power; silence has none.

    Args:
        margin: dB below the level of the speech, where a frame counts half.
        limit: deviations from the mean, of the speech of this utterance.

    Source:
        ITU-T P.56 measures the active speech level by such a margin.
    """

    needs_log_energies = True
    hears_all = True

    def __init__(self, margin: float = 20.0, limit: float = 3.0) -> None:
        super().__init__()
        check("margin", margin, Range(0, 200, above=True))
        check("limit", limit, Range(0, 1000, above=True))
        self.margin = margin
        self.limit = limit

    def forward(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Normalise (B, T, F) log energies with lengths (B,) in frames.

        Padding stays zero.
        """
        weights = self._activity(_levels(features), lengths)[..., None]
        count = weights.sum(1, keepdim=True)
        mean = (features * weights).sum(1, keepdim=True) / count
        variance = ((features - mean).square() * weights).sum(1, keepdim=True) / count
        normalized = (features - mean) / variance.sqrt().clamp(min=MIN_ACTIVE_STD)
        return zero_padding(normalized.clamp(-self.limit, self.limit), lengths)

    def settle(self, blocks: Iterable[Tensor]) -> Callable[[Tensor], Tensor]:
        """See `BlockNorm`; 4 bytes a frame are held."""
        parts = [_levels(block) for block in blocks]
        levels = torch.cat(parts, dim=1)
        lengths = torch.full((len(levels),), levels.size(1))
        activity = self._activity(levels, lengths)
        weights = activity.split([part.size(1) for part in parts], dim=1)
        mean, std = _weighted_moments(zip(blocks, weights, strict=True))
        std = std.clamp(min=MIN_ACTIVE_STD)
        return lambda features: _standardize(features, mean, std).clamp(
            -self.limit, self.limit
        )

    def _activity(self, levels: Tensor, lengths: Tensor) -> Tensor:
        """How far each frame counts as speech: (B, T), 0 to 1, 0 for padding."""
        num_frames = levels.size(1)
        reach = LEVEL_FRAMES // 2
        # The first and the last frame stand for those outside.
        places = torch.arange(-reach, num_frames + reach, device=levels.device)
        ends = send(lengths, levels.device)[:, None] - 1
        places = places.clamp(min=0).minimum(ends)
        levels = levels.gather(1, places)
        levels = levels.unfold(1, LEVEL_FRAMES, 1).median(-1).values
        valid = valid_frames(lengths, num_frames, levels.device)
        power = levels.masked_fill(~valid, -torch.inf).softmax(1)
        speech = (power * levels).sum(1, keepdim=True)
        above = (levels - speech) * DECIBELS + self.margin
        return torch.sigmoid(above / MARGIN_WIDTH).masked_fill(~valid, 0.0)


class GlobalNorm(nn.Module):
    """Give each feature zero mean and unit variance over the training set.

    The statistics are buffers: they are estimated once, before training, and
    travel with the checkpoint.

    Args:
        input_size: F.
        num_utterances: size of the training sample that `fit` is given.
    """

    mean: Tensor
    std: Tensor
    hears_all = False

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
        # Without dimensions, zero adds to sums on any device.
        count, zero = 0, torch.zeros((), dtype=torch.float64)
        total, total_squares = zero, zero
        for features, lengths in batches:
            frames = features[
                valid_frames(lengths, features.size(1), features.device)
            ].double()
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
        return zero_padding(_standardize(features, self.mean, self.std), lengths)

    def settle(self, blocks: Iterable[Tensor]) -> Callable[[Tensor], Tensor]:
        """See `BlockNorm`."""
        return partial(_standardize, mean=self.mean, std=self.std)


def _standardize(features: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return (features - mean) / std


def _levels(features: Tensor) -> Tensor:
    """(B, T) log energies of frames, of those (B, T, F) of their bands."""
    return features.float().logsumexp(-1)


def _weighted_moments(blocks: Iterable[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation over all frames, summed in float64.

    Args:
        blocks: (B, T, F) each, with the (B, T) weights of these frames.

    Returns:
        (B, 1, F) each, in the precision of the blocks.
    """
    # Without dimensions, zero adds to sums on any device.
    count = total = total_squares = torch.zeros((), dtype=torch.float64)
    dtype = torch.float32
    for block, weight in blocks:
        dtype = block.dtype
        weight, frames = weight.double()[..., None], block.double()
        count = count + weight.sum(1, keepdim=True)
        weighted = frames * weight
        total = total + weighted.sum(1, keepdim=True)
        total_squares = total_squares + (weighted * frames).sum(1, keepdim=True)
    mean = total / count
    variance = (total_squares / count - mean.square()).clamp(min=0)
    return mean.to(dtype), variance.sqrt().to(dtype)
