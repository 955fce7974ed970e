"""Dividing recordings into what is trained on, chosen by and scored."""

import random
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from speechgru.data.utterances import durations_of
from speechgru.interfaces import InputError, Utterance

Apart = Literal["speakers", "utterances"]

FEWEST_SPEAKERS = 3
"""That are kept apart: one for each split."""
TOO_MUCH = 1.5
"""Times the share that is wanted, which a split does not grow beyond."""
HOW_TO_NAME = (
    "corpus.speakers=top of folders, a column of a table, utt2spk, or speaker in a "
    "manifest"
)
LEAST_TRAINED = 0.5
"""Share of the hours; what leaves less to train on is remarked on."""


@dataclass(frozen=True)
class Division:
    """Which utterances are in which split.

    Attributes:
        splits: indices by split, in order.
        notes: how it was done, and what to know of it, in lines.
    """

    splits: Mapping[str, NDArray[np.int64]]
    notes: tuple[str, ...]


def divide(
    utterances: Sequence[Utterance],
    shares: Mapping[str, float],
    apart: Apart | None = None,
    seed: int = 1,
) -> Division:
    """Take splits out of utterances; the rest is the split train.

    Args:
        utterances: all there are.
        shares: of the hours, about, by split; e.g. {"test": 0.1, "dev": 0.1}.
        apart: what is in one split only; None: speakers, where three or more are
            known.
        seed: of the draw.

    Raises:
        InputError: there is too little to divide.
    """
    speakers = {each.speaker for each in utterances} - {None}
    fewest = 1 + len(shares)
    if len(utterances) < fewest:
        raise InputError(
            f"{len(utterances)} utterances, expected at least {fewest}: one for each "
            "of the splits train, dev and test that are made; record more"
        )
    if apart == "speakers" and len(speakers) < fewest:
        raise InputError(
            f"apart is speakers, but {len(speakers)} are known, expected at least "
            f"{fewest}; name them ({HOW_TO_NAME}), or set apart=utterances"
        )
    if not shares:
        return Division({"train": np.arange(len(utterances))}, ())
    by_speakers = apart == "speakers" or (
        apart is None and len(speakers) >= max(FEWEST_SPEAKERS, fewest)
    )
    if by_speakers:
        keys: Sequence[Hashable] = [each.speaker for each in utterances]
        notes = _note_speakers(keys)
    else:
        keys, note = _group(utterances, fewest)
        notes = [note, *_warn_of_voices(len(speakers), apart)]
    taken = _take(keys, durations_of(utterances), shares, seed)
    splits = {name: np.flatnonzero(taken == name) for name in ("train", *shares)}
    seconds = durations_of(utterances)
    trained = float(seconds[splits["train"]].sum() / seconds.sum())
    if trained < LEAST_TRAINED:
        notes.append(
            f"only {100 * trained:.0f} % of the hours are left to train on"
            + "; apart=utterances would leave more, with known voices in the scores"
            * by_speakers
        )
    return Division(splits, tuple(notes))


def _note_speakers(keys: Iterable[Hashable]) -> list[str]:
    unknown = sum(key is None for key in keys)
    notes = ["divided by speakers: nobody is heard in two splits"]
    if unknown:
        notes.append(
            f"{unknown} utterances without a speaker are in train; if their voices are "
            "those of dev or test, the scores flatter"
        )
    return notes


def _warn_of_voices(num_speakers: int, apart: Apart | None) -> list[str]:
    if num_speakers >= FEWEST_SPEAKERS and apart == "utterances":
        return [
            "the voices of dev and test are trained on: other voices will fare worse"
        ]
    if num_speakers == 1:
        return ["one speaker: scores tell of this voice alone"]
    if num_speakers:
        return [
            f"{num_speakers} speakers are too few to keep apart: scores tell of known "
            "voices, others will fare worse"
        ]
    return [
        "no speakers are known, so the same voices may be in all splits and the scores "
        f"flatter; to keep them apart, name them ({HOW_TO_NAME})"
    ]


def _group(
    utterances: Sequence[Utterance], fewest: int
) -> tuple[Sequence[Hashable], str]:
    """What must not be torn apart: equal texts, and parts of a recording."""
    texts = [" ".join(each.text.split()).casefold() for each in utterances]
    files = [str(each.audio) for each in utterances]
    both = _join(texts, files)
    if _can_be_divided(both, fewest):
        return both, "divided by utterances: no text and no recording is in two splits"
    if _can_be_divided(files, fewest):
        return files, (
            "divided by recordings: so many have the same texts that texts of train "
            "are in dev and test, too, and the scores flatter"
        )
    return range(len(utterances)), (
        "divided by utterances: parts of one recording are in several splits, and the "
        "scores flatter"
    )


def _can_be_divided(keys: Sequence[Hashable], fewest: int) -> bool:
    counts = Counter(keys)
    return len(counts) >= fewest and max(counts.values()) <= len(keys) / 2


def _join(*columns: Sequence[str]) -> list[int]:
    """Numbers that are equal where any column is, over however many steps."""
    parents = list(range(len(columns[0])))

    def find(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    for column in columns:
        first: dict[str, int] = {}
        for index, value in enumerate(column):
            parents[find(index)] = find(first.setdefault(value, index))
    return [find(index) for index in range(len(parents))]


def _take(
    keys: Sequence[Hashable],
    seconds: NDArray[np.float64],
    shares: Mapping[str, float],
    seed: int,
) -> NDArray[np.str_]:
    """The split of each utterance; those of one key go together."""
    lengths: dict[Hashable, float] = {}
    for key, length in zip(keys, seconds.tolist(), strict=True):
        if key is not None:
            lengths[key] = lengths.get(key, 0.0) + length
    order = sorted(lengths, key=str)
    random.Random(f"divide {seed}").shuffle(order)
    split_of: dict[Hashable, str] = {}
    for turn, (split, share) in enumerate(shares.items()):
        wanted, held = share * float(seconds.sum()), 0.0
        left = [key for key in order if key not in split_of]
        most = len(left) - (len(shares) - turn)  # one for each that is still to come
        for key in left:
            if most and held < wanted and held + lengths[key] <= TOO_MUCH * wanted:
                split_of[key] = split
                held += lengths[key]
                most -= 1
        if not held:  # each is more than was wanted
            split_of[min(left, key=lengths.__getitem__)] = split
    return np.array([split_of.get(key, "train") for key in keys])
