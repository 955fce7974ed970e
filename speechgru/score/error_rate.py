"""Word and character error rates, as sums over a corpus."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jiwer
import torch
from torch import Tensor
from torchmetrics import Metric

from speechgru.interfaces import InputError


@dataclass(frozen=True)
class ErrorCounts:
    """Edits that turn references into hypotheses; add them to sum a corpus.

    Attributes:
        substitutions: reference units replaced.
        deletions: reference units missing from the hypotheses.
        insertions: units of the hypotheses that no reference has.
        hits: reference units found.
    """

    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    hits: int = 0

    @property
    def edits(self) -> int:
        """Substitutions, deletions and insertions."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def reference_length(self) -> int:
        """Units in the references."""
        return self.hits + self.substitutions + self.deletions

    @property
    def rate(self) -> float:
        """Edits per reference unit; see `error_rate`."""
        return error_rate(self.edits, self.reference_length)

    def __add__(self, other: "ErrorCounts") -> "ErrorCounts":
        return ErrorCounts(
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
            self.hits + other.hits,
        )


def error_rate(edits: int, reference_length: int) -> float:
    """Divide; where the references are empty, 0.0 without edits and else inf."""
    if reference_length == 0:
        return float("inf") if edits else 0.0
    return edits / reference_length


def count_word_errors(reference: str, hypothesis: str) -> ErrorCounts:
    """Count the fewest word edits, each of cost 1.

    Words are what white space separates. Both texts must be normalised alike.
    """
    return _count(jiwer.process_words, reference, hypothesis)


def count_character_errors(reference: str, hypothesis: str) -> ErrorCounts:
    """Count the fewest character edits, each of cost 1.

    A space between two words is a character, as is customary (and jiwer's
    way); a run of white space is one space, and none counts at the ends.
    Characters are Unicode code points.
    """
    return _count(jiwer.process_characters, reference, hypothesis)


def _count(
    process: Callable[[str, str], Any], reference: str, hypothesis: str
) -> ErrorCounts:
    # jiwer separates words at the space alone.
    output = process(" ".join(reference.split()), " ".join(hypothesis.split()))
    return ErrorCounts(
        output.substitutions, output.deletions, output.insertions, output.hits
    )


class ErrorRate(Metric):
    """Error rate over a corpus: all edits divided by all reference units.

    The states are integer sums, so the result depends neither on the batches
    nor on the number of processes.

    Args:
        unit: "word" or "character".
        kwargs: as for `torchmetrics.Metric`.
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
