"""What corpora and sources have in common: named splits of utterances."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from speechgru.interfaces import InputError, Utterance
from speechgru.ranges import nearest


class UnknownSplitError(InputError):
    """A corpus has no split of that name, whatever is prepared.

    Args:
        name: of the corpus.
        split: which was asked for.
        splits: which there are.
        remedy: other than to name one of them.
    """

    def __init__(
        self, name: str, split: str, splits: Collection[str], remedy: str = ""
    ) -> None:
        super().__init__(
            f"unknown split '{split}'; {name} has: {', '.join(splits)}"
            + (remedy or nearest(split, splits))
        )


@dataclass(frozen=True)
class SplitSize:
    """How much is in a split.

    Attributes:
        utterances: how many.
        hours: h of audio.
        words: in the transcripts, as separated by spaces.
        manifest: where it is described.
    """

    utterances: int
    hours: float
    words: int
    manifest: Path


@dataclass(frozen=True)
class PreparedReport:
    """What `prepare` made; `str()` gives lines for people.

    Attributes:
        corpus: name.
        splits: size of each split, in order.
        absent: what is not there, and the remedy, in lines.
        notes: what else there is to know, in lines.
    """

    corpus: str
    splits: Mapping[str, SplitSize]
    absent: tuple[str, ...] = field(default=())
    notes: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        sizes = [
            f"{self.corpus} {split}: {size.utterances} utterances, "
            f"{size.hours:.3f} h, {size.words} words, {size.manifest}"
            for split, size in self.splits.items()
        ]
        return "\n".join([*sizes, *self.absent, *self.notes])


class Source(Protocol):
    """Named splits of utterances, whatever they are read from.

    A corpus (`data/corpora/`) is public and known: it puts itself in place and
    checks that it is what it should be. A source (`data/sources/`) is whatever
    the user has, read as it is. The rest of the house sees no difference.

    Attributes:
        name: what messages and commands call it.
    """

    name: str

    @property
    def splits(self) -> tuple[str, ...]:
        """What can be read, in the order in which it is reported."""

    @property
    def variant(self) -> str:
        """The name, and which it is where there are several of that name."""

    def read(self, split: str) -> Sequence[Utterance]:
        """The utterances of a split, always in the same order.

        There may be more than memory holds: each is made when it is asked for.

        Raises:
            InputError: not prepared, or bad data.
            UnknownSplitError: it has no such split.
        """

    def prepare(self) -> PreparedReport:
        """Put in place what is read; doing it twice is the same as once.

        Raises:
            InputError: something is missing, damaged, or not what is expected.
        """


def report(
    name: str,
    splits: Mapping[str, Sequence[Utterance]],
    manifests: Mapping[str, Path],
    absent: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> PreparedReport:
    """Count what is in each split.

    Args:
        name: of the corpus or source.
        splits: utterances by split.
        manifests: where each split is described.
        absent: what is not there, in lines.
        notes: what else there is to know, in lines.
    """
    sizes = {
        split: SplitSize(
            utterances=len(utterances),
            hours=sum(u.duration for u in utterances) / 3600,
            words=sum(len(u.text.split()) for u in utterances),
            manifest=manifests[split],
        )
        for split, utterances in splits.items()
    }
    return PreparedReport(name, MappingProxyType(sizes), tuple(absent), tuple(notes))
