"""What a corpus is known to hold, against which it is checked."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from speechgru.data.source import SplitSize
from speechgru.interfaces import InputError
from speechgru.ranges import ANY_COUNT, Range, check

WHOLE = "all"
"""Stands for all splits together, where a corpus has no official ones."""

_HOURS = Range(0, 1e9)


class ReferenceCounts:
    """Utterances, hours and words of each split, where they are known.

    Args:
        utterances: number per split; None or no entry: any.
        hours: h per split, to a tenth of a percent, or to half of the last digit that
            is given, if that is more: 5.4 stands for 5.35 to 5.45.
        words: number per split, as separated by spaces.

    Raises:
        OptionError: a number is none, or below 0.
    """

    def __init__(
        self,
        utterances: Mapping[str, int | None] | None = None,
        hours: Mapping[str, float | None] | None = None,
        words: Mapping[str, int | None] | None = None,
    ) -> None:
        self.utterances = _known(utterances)
        self.hours = _known(hours)
        self.words = _known(words)
        for group, sizes in (("utterances", self.utterances), ("words", self.words)):
            for split, number in sizes.items():
                check(f"{group}.{split}", number, ANY_COUNT)
        for split, number in self.hours.items():
            check(f"hours.{split}", number, _HOURS)

    def check(self, name: str, splits: Mapping[str, SplitSize]) -> None:
        """See that splits are as large as they should be.

        Args:
            name: of the corpus.
            splits: those that are prepared, all or some.

        Raises:
            InputError: one is not; it is named with what was found and expected.
        """
        for split, size in splits.items():
            self._check(name, split, size.utterances, size.hours, size.words)
        self._check(
            name,
            WHOLE,
            sum(size.utterances for size in splits.values()),
            sum(size.hours for size in splits.values()),
            sum(size.words for size in splits.values()),
        )

    def _check(
        self, name: str, split: str, utterances: int, hours: float, words: int
    ) -> None:
        for group, found, expected in (
            ("utterances", utterances, self.utterances.get(split)),
            ("words", words, self.words.get(split)),
        ):
            if expected is not None and found != expected:
                raise InputError(
                    f"{name} {split}: {found} {group}, expected {expected}; take the "
                    f"original archive, or correct {_option(group, split)}"
                )
        expected = self.hours.get(split)
        if expected is not None and abs(hours - expected) > _tolerance(expected):
            raise InputError(
                f"{name} {split}: {hours:.4f} h, expected {expected}; "
                f"take the original archive, or correct {_option('hours', split)}"
            )


def _tolerance(hours: float) -> float:
    exponent = Decimal(repr(hours)).as_tuple().exponent
    last_digit = 10.0**exponent if isinstance(exponent, int) else 0.0
    return max(0.001 * hours, 0.5 * last_digit)


def _option(group: str, split: str) -> str:
    """How the command line gives a size; its grammar has no hyphen in a key."""
    if "-" in split:
        return f"corpus.{group}={{{split}: SIZE}}"
    return f"corpus.{group}.{split}"


def _known(sizes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: size for key, size in (sizes or {}).items() if size is not None}
