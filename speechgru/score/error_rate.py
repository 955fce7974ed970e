"""Word and character error rates as metrics of a training."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor
from torchmetrics import Metric

from speechgru.interfaces import InputError
from speechgru.score.counts import (
    ErrorCounts,
    count_character_errors,
    count_word_errors,
)


class ErrorRate(Metric):
    """Error rate over a corpus: all edits divided by all reference units.

    The states are integer sums, so the result depends neither on the batches
    nor on the number of processes.

    Args:
        unit: "word" or "character".
        kwargs: as for `torchmetrics.Metric`.

    Examples:
        >>> rate = ErrorRate("word")
        >>> rate.update(["TURN THE LIGHTS OFF"], ["TURN LIGHTS OF"])
        >>> round(float(rate.compute()), 2)
        0.5
    """

    is_differentiable = False
    higher_is_better = False
    full_state_update = False

    substitutions: Tensor
    deletions: Tensor
    insertions: Tensor
    hits: Tensor

    def __init__(
        self, unit: Literal["word", "character"] = "word", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if unit not in ("word", "character"):
            raise InputError(f"unit is {unit!r}, expected word or character")
        self.unit = unit
        for state in ("substitutions", "deletions", "insertions", "hits"):
            self.add_state(
                state, torch.tensor(0, dtype=torch.int64), dist_reduce_fx="sum"
            )

    def update(self, references: Sequence[str], hypotheses: Sequence[str]) -> None:
        """Add utterances.

        Args:
            references: B true transcripts, normalised.
            hypotheses: B decoded transcripts, in the same order.

        Raises:
            InputError: there are more of one than of the other.
        """
        if len(references) != len(hypotheses):
            raise InputError(
                f"{len(references)} references but {len(hypotheses)} hypotheses"
            )
        count = count_word_errors if self.unit == "word" else count_character_errors
        total = sum(map(count, references, hypotheses), start=ErrorCounts())
        self.substitutions += total.substitutions
        self.deletions += total.deletions
        self.insertions += total.insertions
        self.hits += total.hits

    def compute(self) -> Tensor:
        """Give the rate, a float32 scalar, over all processes."""
        return torch.tensor(self.counts().rate, device=self.hits.device)

    def counts(self) -> ErrorCounts:
        """Give the counts over all processes; every process must ask."""
        alone = not self._is_synced  # compute() has summed them already
        with self.sync_context(
            dist_sync_fn=self.dist_sync_fn, should_sync=alone, should_unsync=alone
        ):
            return ErrorCounts(
                int(self.substitutions),
                int(self.deletions),
                int(self.insertions),
                int(self.hits),
            )
