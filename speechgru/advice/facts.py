"""What a corpus is like, as far as advice depends on it."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from speechgru.audio import inspect_audio
from speechgru.data.utterances import durations_of
from speechgru.interfaces import InputError, Utterance
from speechgru.progress import track
from speechgru.text.normalize import TextNormalizer

MOST_ASKED = 100
"""Recordings whose sample rate is looked at, evenly over all."""


@dataclass(frozen=True)
class CorpusFacts:
    """What there is to train on.

    Attributes:
        hours: h of audio.
        utterances: how many.
        longest: s.
        speakers: how many different ones are named.
        unnamed: utterances whose speaker is not known.
        words: in the transcripts, normalised.
        vocabulary: different words among them.
        rarest_of_few: occurrences of the rarest of them, where there are few.
        characters: different ones, without the space.
        characters_per_second: the space included.
        latin: share of the letters that are Latin.
        rates: utterances by sample rate in Hz, of those that were asked.
    """

    hours: float
    utterances: int
    longest: float
    speakers: int
    unnamed: int
    words: int
    vocabulary: int
    rarest_of_few: int
    characters: int
    characters_per_second: float
    latin: float
    rates: Counter[int]

    def describe(self) -> list[str]:
        """Two lines."""
        speakers = f"{self.speakers} speakers" if self.speakers != 1 else "1 speaker"
        if self.unnamed:
            speakers += f" ({self.unnamed} utterances without one)"
        rates = ", ".join(f"{rate}" for rate, _ in self.rates.most_common(3))
        return [
            f"to train on: {self.hours:.2f} h in {self.utterances:,} utterances of up "
            f"to {self.longest:.1f} s, {speakers}, {rates or 'unknown'} Hz",
            f"texts: {self.words:,} words, {self.vocabulary:,} different ones, "
            f"{self.characters} different characters, "
            f"{self.characters_per_second:.1f} characters a second",
        ]


def gather_facts(utterances: Sequence[Utterance]) -> CorpusFacts:
    """Go through the utterances once; of audio, only some headers are read.

    Raises:
        InputError: there are no utterances.
    """
    if not len(utterances):
        raise InputError("no utterances to train on, expected some; correct the corpus")
    normalize = TextNormalizer()
    speakers: set[str] = set()
    words: Counter[str] = Counter()
    unnamed = num_characters = 0
    for utterance in track(utterances, "advise", "utterances", len(utterances)):
        if utterance.speaker is None:
            unnamed += 1
        else:
            speakers.add(utterance.speaker)
        try:
            text = normalize(utterance.text)
        except InputError:  # the doctor names it
            text = utterance.text
        num_characters += len(text)
        words.update(text.split())
    letters: Counter[str] = Counter()
    for word, count in words.items():
        for letter in word:
            letters[letter] += count
    durations = durations_of(utterances)
    seconds = float(durations.sum())
    return CorpusFacts(
        hours=seconds / 3600,
        utterances=len(utterances),
        longest=float(durations.max()),
        speakers=len(speakers),
        unnamed=unnamed,
        words=words.total(),
        vocabulary=len(words),
        rarest_of_few=min(words.values(), default=0),
        characters=len(letters),
        characters_per_second=num_characters / max(seconds, 1e-9),
        latin=_share_of_latin(letters),
        rates=find_rates(utterances),
    )


def _share_of_latin(letters: Counter[str]) -> float:
    of_script = Counter[bool]()
    for letter, count in letters.items():
        if letter.isalpha():
            of_script["LATIN" in unicodedata.name(letter, "")] += count
    return of_script[True] / max(1, of_script.total())


def find_rates(utterances: Sequence[Utterance]) -> Counter[int]:
    """Sample rates in Hz of some utterances; those that cannot be read are left out."""
    rates: Counter[int] = Counter()
    step = max(1, len(utterances) // MOST_ASKED)
    for index in range(0, len(utterances), step):
        try:
            rates[inspect_audio(utterances[index].audio).sample_rate] += 1
        except InputError:  # the doctor names it
            continue
    return rates
