"""How long audio must be, for CTC to align its tokens."""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor


def frames_needed(token_ids: Sequence[int]) -> int:
    """Output frames that CTC needs: one a token, and a blank between equals."""
    return len(token_ids) + sum(left == right for left, right in pairwise(token_ids))


class FewestSamples:
    """A table of the fewest samples that a model makes so many output frames of.

    It is plain numbers, so that processes that load need no model.

    Args:
        output_lengths: (B,) samples to (B,) output frames of the model, which more
            samples never make fewer.
        longest: samples of the longest audio.
    """

    def __init__(
        self, output_lengths: Callable[[Tensor], Tensor], longest: int
    ) -> None:
        def count(num_samples: int) -> int:
            try:
                return int(output_lengths(torch.tensor([num_samples]))[0])
            except ValueError:  # shorter than one window
                return 0

        most = count(longest)
        shortest = bisect_left(range(longest), 1, key=count)
        wanted = torch.arange(1, most + 1)
        low = torch.full_like(wanted, shortest)
        high = torch.full_like(wanted, longest)
        while bool((low < high).any()):  # bisect for all at once
            middle = (low + high) // 2
            is_enough = output_lengths(middle) >= wanted
            high = torch.where(is_enough, middle, high)
            low = torch.where(is_enough, low, middle + 1)
        self._by_frames = [0, *low.tolist()]

    def __call__(self, token_ids: Sequence[int]) -> float:
        """The fewest samples that such tokens can align with; inf: none are enough."""
        needed = frames_needed(token_ids)
        return self._by_frames[needed] if needed < len(self._by_frames) else math.inf
