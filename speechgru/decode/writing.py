"""How what was heard is written, where words that sound alike are not written alike."""

from collections.abc import Sequence
from heapq import nlargest

import torch

from speechgru.decode.lexicon import Lexicon
from speechgru.interfaces import Tokenizer
from speechgru.lm.ngram import NGramModel
from speechgru.text.spelling import find_spelling

NUM_KEPT = 8
"""Ways to write what was heard so far that are kept, of each text."""

States = dict[int, tuple[float, tuple[str, ...]]]
"""The best words that lead to each history of a language model, with their score."""


class SoundWriter:
    """Write sounds as the words of a lexicon.

    Of words that sound alike, those are written that make the whole text most
    probable; without a language model, the first in the lexicon. What is no word of
    it is left to the tokenizer.

    Args:
        lexicon: of the words.
        lm: of words; None: none.
        tokenizer: of the tokens, which are sounds.
    """

    def __init__(
        self, lexicon: Lexicon, lm: NGramModel | None, tokenizer: Tokenizer
    ) -> None:
        self._lm = lm
        self._tokenizer = tokenizer
        self._units = find_spelling(tokenizer).units
        self._ids = {unit: token_id for token_id, unit in enumerate(self._units)}
        words: dict[str, list[str]] = {}
        for word, units in zip(lexicon.words, lexicon.spelled, strict=True):
            words.setdefault(units, []).append(word)
        self._words = {units: tuple(alike) for units, alike in words.items()}

    def __call__(self, texts: Sequence[Sequence[int]]) -> list[str]:
        """The words of each of some texts, which are token ids."""
        choices = [self._find_words(token_ids) for token_ids in texts]
        if self._lm is None:
            return [" ".join(words[0] for words in text) for text in choices]
        return [" ".join(words) for words in _choose(choices, self._lm)]

    def _find_words(self, token_ids: Sequence[int]) -> list[tuple[str, ...]]:
        """What each word may be."""
        heard = "".join(self._units[token_id] for token_id in token_ids).split()
        return [self._words.get(units) or (self._spell(units),) for units in heard]

    def _spell(self, units: str) -> str:
        """A word that is not in the lexicon."""
        return self._tokenizer.decode([self._ids[unit] for unit in units])


def _choose(
    texts: Sequence[Sequence[tuple[str, ...]]], lm: NGramModel
) -> list[tuple[str, ...]]:
    """The most probable words of each text, by the Viterbi algorithm.

    What several texts begin with is gone through once.
    """
    unknown = lm.unknown_id or 0
    reached: list[States] = [{lm.begin: (0.0, ())}]
    place_in = [0] * len(texts)  # of each text in `reached`
    chosen: list[tuple[str, ...]] = [()] * len(texts)
    for place in range(max(map(len, texts), default=0) + 1):
        for index in (i for i, text in enumerate(texts) if len(text) == place):
            chosen[index] = _end(reached[place_in[index]], lm)
        going_on = [index for index, text in enumerate(texts) if len(text) > place]
        grown: dict[tuple[int, tuple[str, ...]], int] = {}
        for index in going_on:
            key = (place_in[index], texts[index][place])
            place_in[index] = grown.setdefault(key, len(grown))
        if grown:
            reached = _grow(reached, list(grown), lm, unknown)
    return chosen


def _grow(
    reached: Sequence[States],
    grown: Sequence[tuple[int, tuple[str, ...]]],
    lm: NGramModel,
    unknown: int,
) -> list[States]:
    """Go on from some of `reached` by one word, which may be one of several."""
    asked = [
        (place, state, before, word)
        for place, (source, words) in enumerate(grown)
        for state, before in reached[source].items()
        for word in words
    ]
    log_probs, states = lm.score(
        torch.tensor([state for _, state, _, _ in asked]),
        torch.tensor([lm.ids.get(word, unknown) for _, _, _, word in asked]),
    )
    found: list[States] = [{} for _ in grown]
    for (place, _, (score, words), word), added, behind in zip(
        asked, log_probs.tolist(), states.tolist(), strict=True
    ):
        best = found[place].get(behind)
        if best is None or score + added > best[0]:
            found[place][behind] = (score + added, (*words, word))
    return [
        dict(nlargest(NUM_KEPT, each.items(), key=lambda item: item[1][0]))
        for each in found
    ]


def _end(reached: States, lm: NGramModel) -> tuple[str, ...]:
    """The best words if the text ends here."""
    states = torch.tensor(list(reached))
    ends, _ = lm.score(states, torch.full_like(states, lm.end_id))
    totals = [
        (score + end, words)
        for (score, words), end in zip(reached.values(), ends.tolist(), strict=True)
    ]
    return max(totals)[1]
