"""Error rates against a quantity of each utterance, such as its level or pace."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from speechgru.score.bootstrap import bootstrap_interval
from speechgru.score.counts import ErrorCounts
from speechgru.score.results import Result
from speechgru.score.summary import Rate, Unit, group_by_unit

NUM_CLASSES = 5
LEAST_UTTERANCES = 25
"""Of fewer, classes would hold a handful each."""


def rates_by_quantity(
    results: Sequence[Result],
    quantities: Mapping[str, float],
    resample: Unit | None = None,
    digits: int = 1,
) -> dict[str, Rate]:
    """The WER of classes of equally many utterances, from the least quantity on.

    Args:
        results: of which those without a quantity are left out.
        quantities: by utterance id.
        resample: what the bootstrap draws whole; as in `summarise`.
        digits: behind the point, of the bounds of classes; more where they are needed
            to tell these apart.

    Returns:
        By "least to most" of each class; empty: too few, or all are alike.
    """
    known = [result for result in results if result.id in quantities]
    if len(known) < LEAST_UTTERANCES:
        return {}
    values = sorted(quantities[result.id] for result in known)
    # Equal quantities stay together.
    starts = sorted(
        {values[len(values) * n // NUM_CLASSES] for n in range(NUM_CLASSES)}
    )
    if len(starts) < 2:
        return {}
    members: dict[float, list[float]] = defaultdict(list)
    for value in values:
        members[_start_of(value, starts)].append(value)
    _, groups = group_by_unit(known, resample)
    rates = []
    for start in starts:
        counts = [
            [
                result.word_errors
                for result in group
                if _start_of(quantities[result.id], starts) == start
            ]
            for group in groups
        ]
        sums = [sum(each, start=ErrorCounts()) for each in counts if each]
        rates.append(Rate(sum(sums, start=ErrorCounts()), *bootstrap_interval(sums)))
    bounds = [(members[start][0], members[start][-1]) for start in starts]
    return dict(zip(_name(bounds, digits), rates, strict=True))


def _name(bounds: Sequence[tuple[float, float]], digits: int) -> list[str]:
    """Names of classes, with as many digits as tell all of them apart."""
    while True:
        names = [f"{least:.{digits}f} to {most:.{digits}f}" for least, most in bounds]
        if len(set(names)) == len(names):
            return names
        digits += 1


def speaking_rates(results: Sequence[Result]) -> dict[str, float]:
    """Characters said in a second of each utterance, where its duration is known."""
    return {
        result.id: len(result.reference.replace(" ", "")) / result.duration
        for result in results
        if result.duration and result.reference
    }


def _start_of(value: float, starts: Sequence[float]) -> float:
    return max(start for start in starts if start <= value)
