"""The words of many texts: all that tokens are made of, and less than the texts."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from speechgru.interfaces import InputError


@dataclass(frozen=True)
class WordCounts:
    """How often each word occurs, as white space separates words in raw texts.

    What normalisation makes of a word does not depend on the words beside it, so
    whoever normalises each of these once knows the words of all the texts.

    Attributes:
        counts: occurrences, by word.
        several: whether any text has more than one word.
    """

    counts: Mapping[str, int]
    several: bool

    @classmethod
    def of(cls, texts: Iterable[str]) -> "WordCounts":
        """Count the words of texts."""
        counts: Counter[str] = Counter()
        several = False
        for text in texts:
            words = text.split()
            counts.update(words)
            several = several or len(words) > 1
        return cls(counts, several)

    @classmethod
    def sum(cls, some: Iterable["WordCounts"]) -> "WordCounts":
        """The counts of several texts together."""
        counts: Counter[str] = Counter()
        several = False
        for each in some:
            counts.update(each.counts)
            several = several or each.several
        return cls(counts, several)


class Texts(Iterable[str]):
    """Texts that can be gone through again and again, and their words.

    Args:
        texts: wherever they lie.
        look_up: gives the words of these texts where they are counted already, else
            None; is called when they are asked for.
    """

    def __init__(
        self,
        texts: Iterable[str],
        look_up: Callable[[], WordCounts | None] = lambda: None,
    ) -> None:
        self._texts = texts
        self._look_up = look_up

    def __iter__(self) -> Iterator[str]:
        """One text after the other."""
        return iter(self._texts)

    @cached_property
    def words(self) -> WordCounts:
        """Their words."""
        return self._look_up() or WordCounts.of(self._texts)


def count_normalized(
    texts: Iterable[str], normalize: Callable[[str], str]
) -> Counter[str]:
    """The words of texts as they are normalised; those that cannot be are left out."""
    counts: Counter[str] = Counter()
    for raw, number in count_words(texts).counts.items():
        with suppress(InputError):
            for word in normalize(raw).split():
                counts[word] += number
    return counts


def count_words(texts: Iterable[str]) -> WordCounts:
    """The words of texts, which may be counted already."""
    return texts.words if isinstance(texts, Texts) else WordCounts.of(texts)
