"""Edits between texts, and what they come to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jiwer


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
