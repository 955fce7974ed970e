"""Chunks of any size and rate to steps of one size, at the model's rate."""

import torch
from torch import Tensor

from speechgru.audio.resample import Resampling

RESAMPLED_AT_ONCE = 0.01
"""s of sound, about."""


class Steps:
    """Samples as they come, to steps of the model.

    What comes out is the same to the bit, whatever the chunks: also the resampling
    hears blocks of one size.

    Args:
        sample_rate: Hz, of what comes.
        model_rate: Hz, of what goes.
        size: samples of a step.
    """

    def __init__(self, sample_rate: int, model_rate: int, size: int) -> None:
        self._incoming = _Rechunked(max(1, round(sample_rate * RESAMPLED_AT_ONCE)))
        self._resampling = (
            None if sample_rate == model_rate else Resampling(sample_rate, model_rate)
        )
        self._outgoing = _Rechunked(size)

    def push(self, samples: Tensor) -> list[Tensor]:
        """Take (S,) in, and give the steps that are full."""
        if self._resampling is None:
            return self._outgoing.push(samples)
        steps: list[Tensor] = []
        for block in self._incoming.push(samples):
            steps += self._forward(self._resampling.push(block[None]))
        return steps

    def finish(self) -> list[Tensor]:
        """What is left; the last may be shorter."""
        steps: list[Tensor] = []
        if self._resampling is not None:
            for block in self._incoming.finish():
                steps += self._forward(self._resampling.push(block[None]))
            steps += self._forward(self._resampling.finish())
        return [*steps, *self._outgoing.finish()]

    def _forward(self, resampled: Tensor | None) -> list[Tensor]:
        return [] if resampled is None else self._outgoing.push(resampled[0])


class _Rechunked:
    """Samples that come in any number, and go in blocks of one size.

    Args:
        size: samples of a block.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._parts: list[Tensor] = []
        self._count = 0

    def push(self, samples: Tensor) -> list[Tensor]:
        """Take (S,) in, and give the blocks that are full."""
        # A copy: whoever gave them may write over them.
        self._parts.append(samples.clone())
        self._count += len(samples)
        if self._count < self._size:
            return []
        blocks = torch.split(torch.cat(self._parts), self._size)
        self._count %= self._size
        # A copy: a view would keep all that came with it.
        self._parts = [blocks[-1].clone()] if self._count else []
        return list(blocks[:-1] if self._count else blocks)

    def finish(self) -> list[Tensor]:
        """What is left, if anything."""
        left = [torch.cat(self._parts)] if self._count else []
        self._parts, self._count = [], 0
        return left
