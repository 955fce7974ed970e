"""Sentences and speakers that are in two splits of a corpus."""

from collections.abc import Mapping, Sequence
from itertools import combinations

from speechgru.interfaces import Utterance
from speechgru.records import show


def name_shared(splits: Mapping[str, Sequence[Utterance]]) -> list[str]:
    """Say what two splits share, in lines; official splits are taken as they are."""
    notes = []
    for one, other in combinations(splits, 2):
        texts = {key(utterance.text) for utterance in splits[one]}
        shared = [u for u in splits[other] if key(u.text) in texts]
        if shared:
            notes.append(
                f"{other}: utterances whose sentences are in {one}, too: "
                f"{len(shared)}, e.g. {shared[0].id}, {show(shared[0].text)}"
            )
        speakers = {utterance.speaker for utterance in splits[one]} - {None}
        shared = [u for u in splits[other] if u.speaker in speakers]
        if shared:
            notes.append(
                f"{other}: utterances of speakers who are in {one}, too: "
                f"{len(shared)}, e.g. {shared[0].id}"
            )
    return notes


def key(text: str) -> str:
    """What makes two sentences the same."""
    return " ".join(text.casefold().split())
