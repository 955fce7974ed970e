"""Where the errors lie: by how often words were trained on, and what is confused."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from speechgru.score.alignment import AlignedPair, align_characters
from speechgru.score.bootstrap import bootstrap_interval
from speechgru.score.counts import ErrorCounts
from speechgru.score.results import Result
from speechgru.score.summary import Rate, Unit, group_by_unit, percent

FREQUENCIES = (0, 1, 2, 5, 10, 100, 1000)
"""Occurrences in training from which a new class of words begins."""

Confusions = Counter[tuple[str | None, str | None]]
"""How often what was said (None: nothing) was heard as what."""


@dataclass(frozen=True)
class Unseen:
    """Words that were said, and never in training: out of vocabulary.

    Attributes:
        num_words: said.
        num_distinct: different ones.
        num_wrong: of those said.
        share: of all words said.
        share_of_errors: of all substitutions and deletions.
    """

    num_words: int
    num_distinct: int
    num_wrong: int
    share: float
    share_of_errors: float


@dataclass(frozen=True)
class Breakdown:
    """What the errors of a file of results are.

    Attributes:
        by_frequency: share of the words that were not heard, by how often they
            occur in training; what was inserted has no such number, and does not
            count. Empty if words of training are not known.
        unseen: the first of these classes; None as long as they are empty.
        words: errors of words.
        characters: errors of characters, each utterance aligned as a whole.
        character_examples: id of an utterance that has each of these.
    """

    by_frequency: Mapping[str, Rate]
    unseen: Unseen | None
    words: Confusions
    characters: Confusions
    character_examples: Mapping[tuple[str | None, str | None], str]

    def to_record(self, most: int) -> dict[str, Any]:
        """Plain values, for JSON.

        Args:
            most: kinds of errors, the most frequent ones.
        """
        return {
            "by_frequency": {
                name: rate.to_record() for name, rate in self.by_frequency.items()
            },
            "unseen": None if self.unseen is None else vars(self.unseen),
            **{
                f"{unit}_confused": {
                    "kinds": len(counts),
                    "errors": counts.total(),
                    "most": [[*pair, count] for pair, count in first(counts, most)],
                }
                for unit, counts in (
                    ("words", self.words),
                    ("characters", self.characters),
                )
            },
        }


def break_down(
    results: Sequence[Result],
    trained: Mapping[str, int] | None,
    resample: Unit | None = None,
) -> Breakdown:
    """Sort the errors of a file of results.

    Args:
        results: at least one.
        trained: occurrences of words in training; None: not known.
        resample: what the bootstrap draws whole; as in `summarise`.
    """
    by_frequency: dict[str, Rate] = {}
    unseen = None
    if trained is not None:
        _, groups = group_by_unit(results, resample)
        by_frequency = _rates(groups, trained)
        unseen = _find_unseen(results, trained)
    characters: Confusions = Counter()
    examples: dict[tuple[str | None, str | None], str] = {}
    for result in results:
        pairs = align_characters(result.reference, result.hypothesis)
        confused = _confusions(pairs)
        characters += confused
        for pair in confused:
            examples.setdefault(pair, result.id)
    return Breakdown(
        by_frequency,
        unseen,
        _confusions(pair for result in results for pair in result.alignment),
        characters,
        examples,
    )


def describe_unseen(unseen: Unseen) -> str:
    """Say what words that training does not have make of the errors."""
    if not unseen.num_words:
        return "Every word said occurs in training."
    wrong = percent(unseen.num_wrong / unseen.num_words)
    return (
        f"{unseen.num_words} words said, {percent(unseen.share)} %, never occur in "
        f"training ({unseen.num_distinct} different ones): {wrong} % of them are not "
        f"heard, {percent(unseen.share_of_errors)} % of all words that are not."
    )


def first(counts: Confusions, most: int) -> list[tuple[tuple[Any, Any], int]]:
    """The most frequent ones, those that are equally frequent by their texts."""

    def key(item: tuple[tuple[str | None, str | None], int]) -> tuple[Any, ...]:
        (said, heard), count = item
        return -count, said is None, said or "", heard is None, heard or ""

    return sorted(counts.items(), key=key)[:most]


def frequency_class(occurrences: int) -> str:
    """Name the class of a word's frequency, e.g. "5-9"."""
    place = max(i for i, start in enumerate(FREQUENCIES) if start <= occurrences)
    start = FREQUENCIES[place]
    if place + 1 == len(FREQUENCIES):
        return f"{start}-"
    end = FREQUENCIES[place + 1] - 1
    return f"{start}" if start == end else f"{start}-{end}"


def _rates(
    groups: Sequence[Sequence[Result]], trained: Mapping[str, int]
) -> dict[str, Rate]:
    """The error rate of each class that has a word."""
    counted = [
        Counter(
            (frequency_class(trained.get(word, 0)), edit)
            for result in group
            for word, edit in _said(result)
        )
        for group in groups
    ]
    rates = {}
    for name in map(frequency_class, FREQUENCIES):
        counts = [
            ErrorCounts(each[name, "S"], each[name, "D"], 0, each[name, "C"])
            for each in counted
        ]
        # A speaker, or an utterance, without such a word says nothing of them.
        having = [each for each in counts if each.reference_length]
        if having:
            total = sum(having, start=ErrorCounts())
            rates[name] = Rate(total, *bootstrap_interval(having))
    return rates


def _find_unseen(results: Sequence[Result], trained: Mapping[str, int]) -> Unseen:
    said = [each for result in results for each in _said(result)]
    new = [(word, edit) for word, edit in said if not trained.get(word, 0)]
    num_wrong = sum(edit != "C" for _, edit in said)
    new_wrong = sum(edit != "C" for _, edit in new)
    return Unseen(
        num_words=len(new),
        num_distinct=len({word for word, _ in new}),
        num_wrong=new_wrong,
        share=len(new) / len(said) if said else 0.0,
        share_of_errors=new_wrong / num_wrong if num_wrong else 0.0,
    )


def _said(result: Result) -> Iterator[tuple[str, str]]:
    """The words of the reference, and what became of each: C, S or D."""
    for pair in result.alignment:
        if pair.reference is not None:
            yield pair.reference, pair.edit


def _confusions(pairs: Iterable[AlignedPair]) -> Confusions:
    return Counter(
        (pair.reference, pair.hypothesis) for pair in pairs if pair.edit != "C"
    )
