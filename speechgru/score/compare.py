"""Whether one system's error rate differs from another's by more than chance."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from speechgru.interfaces import InputError
from speechgru.score.alignment import Alignment
from speechgru.score.bootstrap import bounds, draws
from speechgru.score.plain import plain
from speechgru.score.results import Result
from speechgru.score.summary import Unit, group_by_unit

MIN_GOOD = 2
"""Words that both systems have right, one after another, end a segment: the
errors behind them hardly depend on those before (Gillick and Cox 1989)."""


@dataclass(frozen=True)
class MatchedPairs:
    """NIST's matched-pairs sentence-segment word error test.

    Attributes:
        num_segments: with an error of either system.
        mean: errors a segment, the second system's less the first's.
        z: mean over its standard error; None if the segments do not vary.
        p: two-sided; None where z is.
    """

    num_segments: int
    mean: float
    z: float | None
    p: float | None


@dataclass(frozen=True)
class Comparison:
    """A second system against a first.

    Attributes:
        difference: word error rate, the second's less the first's.
        low: lower bound of its 95 % interval, by paired bootstrap.
        high: upper bound.
        resampled: what was drawn whole.
        improved: share of the draws in which the second is better; of those
            in which both are equal, half.
        matched_pairs: the other test.
        both_right: words of the references that both systems have right.
        both_wrong: words that neither has right.
        only_first: how often which word is right in the first system alone.
        only_second: how often which word is right in the second system alone.
    """

    difference: float
    low: float
    high: float
    resampled: Unit
    improved: float
    matched_pairs: MatchedPairs
    both_right: int
    both_wrong: int
    only_first: Counter[str]
    only_second: Counter[str]


class WordSlot(NamedTuple):
    """A word of a reference, or its end, and what a system made of it.

    Attributes:
        word: "" at the end.
        right: whether it was heard; true at the end.
        inserted: words that were heard before it and not said.
    """

    word: str
    right: bool
    inserted: int


def compare(
    first: Sequence[Result], second: Sequence[Result], unit: Unit | None = None
) -> Comparison:
    """Compare two systems on the same utterances.

    Args:
        first: checked by `check_comparable`, as is the next.
        second: in any order.
        unit: what the bootstrap draws whole; as in `summarise`.

    Source:
        Bisani and Ney 2004, "Bootstrap estimates for confidence intervals in
        ASR performance evaluation", ICASSP: both systems are scored on the
        same draws. For the other test see `matched_pairs_test`.
    """
    by_id = {result.id: result for result in second}
    unit, groups = group_by_unit(first, unit)
    words = np.array(
        [sum(r.word_errors.reference_length for r in group) for group in groups]
    )
    more_edits = np.array(
        [
            sum(by_id[r.id].word_errors.edits - r.word_errors.edits for r in group)
            for group in groups
        ]
    )
    differences = np.array(
        [_rate(more_edits[drawn], words[drawn]) for drawn in draws(len(groups))]
    )
    low, high = bounds(differences)
    pairs = [(result.alignment, by_id[result.id].alignment) for result in first]
    heard = Counter(
        (slot.word, slot.right, other.right)
        for ours, theirs in pairs
        for slot, other in zip(by_word(ours)[:-1], by_word(theirs)[:-1], strict=True)
    )

    def words_with(ours: bool, theirs: bool) -> Counter[str]:
        return Counter(
            {
                word: count
                for (word, *right), count in heard.items()
                if right == [ours, theirs]
            }
        )

    return Comparison(
        difference=_rate(more_edits, words),
        low=low,
        high=high,
        resampled=unit,
        improved=float((differences < 0).mean() + (differences == 0).mean() / 2),
        matched_pairs=matched_pairs_test(pairs),
        both_right=words_with(True, True).total(),
        both_wrong=words_with(False, False).total(),
        only_first=words_with(True, False),
        only_second=words_with(False, True),
    )


def by_word(alignment: Alignment) -> list[WordSlot]:
    """Arrange an alignment by the words of its reference, and their end."""
    slots, inserted = [], 0
    for pair in alignment:
        if pair.reference is None:
            inserted += 1
        else:
            slots.append(WordSlot(pair.reference, pair.edit == "C", inserted))
            inserted = 0
    return [*slots, WordSlot("", True, inserted)]


def check_comparable(systems: dict[str, Sequence[Result]]) -> None:
    """See that all systems heard the same and are scored alike.

    Args:
        systems: results by the name of the system; at least one.

    Raises:
        InputError: an utterance is missing from one, or its reference or its
            scoring differs; the first such is named.
    """
    (first_name, first), *others = systems.items()
    expected = {result.id: result for result in first}
    for name, results in others:
        found = {result.id: result for result in results}
        for (here, ours), (there, theirs) in (
            ((first_name, expected), (name, found)),
            ((name, found), (first_name, expected)),
        ):
            missing = [id for id in ours if id not in theirs]
            if missing:
                raise InputError(
                    f"{there}: {len(missing)} of the {len(ours)} utterances of {here} "
                    f"are missing, first {missing[0]}; compare results on the same "
                    "utterances"
                )
        for id, result in found.items():
            if result.reference.split() != expected[id].reference.split():
                raise InputError(
                    f"{name}: the reference of {id} is {result.reference!r}, in "
                    f"{first_name} it is {expected[id].reference!r}; normalise both "
                    f"systems' transcripts alike{_same_words(result, expected[id])}"
                )
            if result.scoring != expected[id].scoring:
                raise InputError(
                    f"{name}: {id} is scored by {result.scoring}, in {first_name} by "
                    f"{expected[id].scoring}; score both alike, e.g. by "
                    "score=levenshtein"
                )


def _same_words(one: Result, other: Result) -> str:
    if plain(one.reference) != plain(other.reference):
        return ""
    return ": these two differ in case or punctuation alone"


def matched_pairs_test(pairs: Sequence[tuple[Alignment, Alignment]]) -> MatchedPairs:
    """Test whether two systems make equally many errors in a segment.

    Args:
        pairs: two alignments with the same references, for each utterance.

    Source:
        Gillick and Cox 1989, "Some statistical issues in the comparison of
        speech recognition algorithms", ICASSP; as in NIST's sc_stats, with
        the normal distribution.
    """
    segments = [
        segment for first, second in pairs for segment in error_segments(first, second)
    ]
    differences = np.array([theirs - ours for ours, theirs in segments], dtype=float)
    num_segments = len(differences)
    mean = float(differences.mean()) if num_segments else 0.0
    deviation = float(differences.std(ddof=1)) if num_segments > 1 else 0.0
    if deviation == 0.0:
        return MatchedPairs(num_segments, mean, None, None)
    z = mean / (deviation / math.sqrt(num_segments))
    return MatchedPairs(num_segments, mean, z, math.erfc(abs(z) / math.sqrt(2)))


def error_segments(first: Alignment, second: Alignment) -> list[tuple[int, int]]:
    """Errors of both systems in each stretch of an utterance with any.

    A segment ends with MIN_GOOD words that both have right, or with the
    utterance.
    """
    segments: list[tuple[int, int]] = []
    errors, num_good = (0, 0), 0
    for ours, theirs in zip(by_word(first), by_word(second), strict=True):
        if ours.inserted or theirs.inserted:
            num_good = 0
        errors = (
            errors[0] + ours.inserted + (not ours.right),
            errors[1] + theirs.inserted + (not theirs.right),
        )
        num_good = num_good + 1 if ours.right and theirs.right else 0
        if num_good >= MIN_GOOD:
            if errors != (0, 0):
                segments.append(errors)
            errors = (0, 0)
    return [*segments, errors] if errors != (0, 0) else segments


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Raise p-values for the number of tests made, by Holm's method.

    Source:
        Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    order = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, index) in enumerate(order):
        largest = max(largest, min(1.0, p * (len(order) - rank)))
        adjusted[index] = largest
    return adjusted


def _rate(edits: np.ndarray, words: np.ndarray) -> float:
    # As in error_rate, references without words have no rate; the difference of
    # two such is as good as none.
    return float(edits.sum() / words.sum()) if words.sum() else 0.0
