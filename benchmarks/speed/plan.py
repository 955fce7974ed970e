"""How much to measure, and on what."""

from typing import NamedTuple

import torch
from measure import Batch

from speechgru.model.encoders.recurrent import RecurrentEncoder

NUM_LAYERS = 3
LARGEST = 16 * 584**2
"""Utterances x frames^2; the time of packed layers is proportional to it."""
MIDDLE = 16
"""Utterances; a batch as most training has it."""
SOME_FRAMES, SOME_BATCHES = 292, (1, MIDDLE)
"""Most frames, and the batches, of the tables after the first."""


class Plan(NamedTuple):
    """How much to measure.

    Attributes:
        lengths: T, frames.
        batches: B, utterances.
        hidden_size: H, which is also the number of features.
        seconds: CPU seconds for each cell of a table.
        everything: also what takes very long.
    """

    lengths: list[int]
    batches: list[int]
    hidden_size: int
    seconds: float
    everything: bool = False

    def sizes(self) -> list[tuple[int, int]]:
        """(T, B) of the first table."""
        return [
            (num_frames, batch)
            for num_frames in self.lengths
            for batch in self.batches
            if batch * num_frames**2 <= LARGEST or self.everything
        ]

    def some_sizes(self) -> list[tuple[int, int]]:
        """(T, B) of the others."""
        return [
            (num_frames, batch)
            for num_frames, batch in self.sizes()
            if (num_frames <= SOME_FRAMES and batch in SOME_BATCHES) or self.everything
        ]

    def make(self, encoder: type[RecurrentEncoder]) -> RecurrentEncoder:
        """A bidirectional stack."""
        return encoder(self.hidden_size, self.hidden_size, NUM_LAYERS)

    def make_batch(self, num_frames: int, batch: int, device: str = "cpu") -> Batch:
        """Random utterances whose lengths are spread from T down to T/2."""
        lengths = torch.linspace(num_frames, num_frames / 2, batch).ceil().long()
        shape = (batch, num_frames, self.hidden_size)
        return Batch(
            torch.randn(shape, device=device).requires_grad_(),
            lengths.to(device),
            torch.randn(batch, num_frames, 2 * self.hidden_size, device=device),
        )
