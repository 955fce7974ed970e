"""Cross-validation by speakers: which utterances to hold out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from speechgru.data.source import Source, UnknownSplitError
from speechgru.data.utterances import join, select
from speechgru.interfaces import InputError, Utterance
from speechgru.progress import say_line


def read_both(
    corpus: Source, train: str = "train", dev: str = "dev"
) -> tuple[Sequence[Utterance], Sequence[Utterance]]:
    """Read the two splits that folds are cut from.

    Args:
        corpus: one that has no split "dev" has all speakers in train.
        train, dev: names of the splits; with one name for both, all are in train.

    Raises:
        InputError: they cannot be read, or there is no split of another name.
    """
    utterances = corpus.read(train)
    if dev == train:
        return utterances, []
    try:
        return utterances, corpus.read(dev)
    except UnknownSplitError:
        if dev != "dev":
            raise
        return utterances, []


def read_cut(
    corpus: Source, fold: str | None, train: str = "train", dev: str = "dev"
) -> tuple[Sequence[Utterance], Sequence[Utterance]]:
    """Read what is trained on, and what is held out: wanted, but not needed.

    Without a fold, what is wrong with dev is said.

    Args:
        corpus, train, dev: as in `read_both`.
        fold: as in `hold_out`; None: the splits as they are.

    Raises:
        InputError: train cannot be read, or there is a fold and dev cannot.
    """
    if fold is not None:
        return hold_out(*read_both(corpus, train, dev), fold)
    utterances = corpus.read(train)
    try:
        return utterances, corpus.read(dev) if dev in corpus.splits else []
    except InputError as error:
        say_line(f"nothing is held out: {error}")
        return utterances, []


def hold_out(
    train: Sequence[Utterance], dev: Sequence[Utterance], fold: str
) -> tuple[Sequence[Utterance], Sequence[Utterance]]:
    """Cut two splits anew, into what is trained on and what is validated on.

    Args:
        train, dev: as the corpus has them.
        fold: e.g. "1/4": see `Fold`; "all": trains on everybody, and validates
            on nobody.
    """
    if fold == "all":
        return join(train, dev), []
    return Fold.parse(fold).split(join(train, dev))


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
    ) -> tuple[Sequence[Utterance], Sequence[Utterance]]:
        """Cut utterances into those to train on and those of held-out speakers.

        Every `total`-th speaker of the sorted list is held out.

        Raises:
            InputError: a speaker is not known, or there are too few.
        """
        of_speaker: dict[str, list[int]] = {}
        for index, utterance in enumerate(utterances):
            if utterance.speaker is None:
                raise InputError(
                    f"the speaker of {utterance.id} is not known, expected one for "
                    "every utterance; add speakers to the manifest, or set no fold"
                )
            of_speaker.setdefault(utterance.speaker, []).append(index)
        speakers = sorted(of_speaker)
        if len(speakers) < self.total:
            raise InputError(
                f"{len(speakers)} speakers cannot be held out in {self.total} folds; "
                "ask for fewer"
            )
        held_out = np.zeros(len(utterances), dtype=bool)
        for speaker in speakers[self.number - 1 :: self.total]:
            held_out[of_speaker[speaker]] = True
        return (
            select(utterances, np.flatnonzero(~held_out)),
            select(utterances, np.flatnonzero(held_out)),
        )
