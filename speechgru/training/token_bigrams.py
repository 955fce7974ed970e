"""Which tokens follow which in training, as it was in the epoch before."""

import torch
from torch import Tensor

from speechgru.features.padding import valid_frames
from speechgru.interfaces import BLANK, Batch, InputError
from speechgru.training.epoch_sums import EpochSums

MOST_TOKENS = 2000
"""All their pairs are counted: 12 bytes each, exchanged by processes in each step."""


class TokenBigrams(EpochSums):
    """A bigram model of the targets of an epoch of training.

    Args:
        num_tokens: C, the blank included.

    Attributes:
        log_probs: (C, C) float32, natural log, of a token (column) behind another
            (row); the blank stands for the beginning as a row, for the end as a
            column. All are alike until an epoch is over.

    Raises:
        InputError: there are too many tokens.

    Source:
        Witten and Bell, "The zero-frequency problem", IEEE Transactions on Information
        Theory 37, 1991: what never followed a token is as probable behind it as it is
        frequent, by as much as that token has followers of all kinds.
    """

    log_probs: Tensor

    def __init__(self, num_tokens: int) -> None:
        if num_tokens > MOST_TOKENS:
            raise InputError(
                f"text has {num_tokens} tokens, expected at most {MOST_TOKENS} with "
                "task.mmi, which counts all pairs of them; choose fewer "
                "(text.vocabulary_size, text=phones), or task.mmi=0"
            )
        super().__init__(num_tokens, num_tokens)
        alike = torch.full((num_tokens, num_tokens), 1 / num_tokens)
        self.register_buffer("log_probs", alike.log())

    @property
    def are_known(self) -> bool:
        """Whether an epoch is over."""
        return self._epoch > 0

    def learn(self) -> None:
        """See `EpochSums`."""
        frequencies = self.sums.sum(dim=0) + 1
        kinds = (self.sums > 0).sum(dim=1, keepdim=True).clamp(min=1)
        smoothed = self.sums + kinds * frequencies / frequencies.sum()
        self.log_probs.copy_((smoothed / smoothed.sum(dim=1, keepdim=True)).log())

    def observe(self, batch: Batch) -> None:
        """Count the targets of a part of a step on this process."""
        before, after, valid = neighbours(batch)
        counts = torch.zeros_like(self.sums)
        counts.index_put_((before, after), valid.to(counts), accumulate=True)
        self.add(counts)

    def score(self, batch: Batch) -> Tensor:
        """(B,) natural log, of the targets of each utterance."""
        before, after, valid = neighbours(batch)
        return torch.where(valid, self.log_probs[before, after], 0.0).sum(dim=1)


def neighbours(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Each token of the targets with the one before it.

    Returns:
        before: (B, U + 1), from the beginning on.
        after: (B, U + 1), to the end.
        valid: (B, U + 1), False in padding.
    """
    targets = batch.targets
    edge = targets.new_full((len(targets), 1), BLANK)
    padded = torch.cat([edge, targets, edge], dim=1)
    valid = valid_frames(batch.target_lengths + 1, padded.size(1) - 1, targets.device)
    return padded[:, :-1], padded[:, 1:], valid
