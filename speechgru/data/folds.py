"""Cross-validation by speakers: which utterances to hold out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from speechgru.interfaces import InputError, Utterance


def hold_out(
    train: Sequence[Utterance], dev: Sequence[Utterance], fold: str | None
) -> tuple[list[Utterance], list[Utterance]]:
    """Cut two splits anew, into what is trained on and what is validated on.

    Args:
        train, dev: as the corpus has them.
        fold: e.g. "1/4": see `Fold`; "all": trains on everybody, and validates
            on nobody; None: as they are.
    """
    if fold is None:
        return list(train), list(dev)
    if fold == "all":
        return [*train, *dev], []
    return Fold.parse(fold).split([*train, *dev])


@dataclass(frozen=True)
class Fold:
    """One of several ways to cut utterances in two, no speaker in both.

    Attributes:
        number: from 1.
        total: number of folds; each speaker is held out in one of them.
    """

    number: int
    total: int

    @classmethod
    def parse(cls, text: str) -> "Fold":
        """Read e.g. "2/4". Raises InputError."""
        match = re.fullmatch(r"(\d+)/(\d+)", str(text))
        fold = cls(int(match[1]), int(match[2])) if match else None
        if fold is None or not 1 <= fold.number <= fold.total or fold.total < 2:
            raise InputError(
                f"fold is {text!r}, expected NUMBER/TOTAL, e.g. 1/4 of four folds"
            )
        return fold

    def split(
        self, utterances: Sequence[Utterance]
    ) -> tuple[list[Utterance], list[Utterance]]:
        """Cut utterances into those to train on and those of held-out speakers.

        Every `total`-th speaker of the sorted list is held out.

        Raises:
            InputError: a speaker is not known, or there are too few.
        """
        nameless = next((u.id for u in utterances if u.speaker is None), None)
        if nameless is not None:
            raise InputError(
                f"the speaker of {nameless} is not known, expected one for every "
                "utterance; add speakers to the manifest, or set no fold"
            )
        speakers = sorted({u.speaker for u in utterances if u.speaker is not None})
        if len(speakers) < self.total:
            raise InputError(
                f"{len(speakers)} speakers cannot be held out in {self.total} folds; "
                "ask for fewer"
            )
        held_out = set(speakers[self.number - 1 :: self.total])
        return (
            [u for u in utterances if u.speaker not in held_out],
            [u for u in utterances if u.speaker in held_out],
        )
