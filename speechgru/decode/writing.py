"""How what was heard is written, where words that sound alike are not written alike."""

from collections.abc import Sequence

import torch

from speechgru.decode.lexicon import Lexicon
from speechgru.interfaces import Tokenizer
from speechgru.lm.ngram import NGramModel
from speechgru.text.spelling import find_spelling

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
        self._words: dict[str, list[str]] = {}
        for word, units in zip(lexicon.words, lexicon.spelled, strict=True):
            self._words.setdefault(units, []).append(word)

    def __call__(self, texts: Sequence[Sequence[int]]) -> list[str]:
        """The words of each of some texts, which are token ids."""
        choices = [self._find_words(token_ids) for token_ids in texts]
        if self._lm is None:
            return [" ".join(words[0] for words in text) for text in choices]
        return [" ".join(words) for words in _choose(choices, self._lm)]

    def _find_words(self, token_ids: Sequence[int]) -> list[list[str]]:
        """What each word may be."""
        heard: list[list[int]] = []
        for token_id in token_ids:
            if self._units[token_id].startswith(" ") or not heard:
                heard.append([])
            heard[-1].append(token_id)
        return [
            self._words.get("".join(self._units[i] for i in ids).strip())
            or [self._tokenizer.decode(ids)]
            for ids in heard
        ]


def _choose(
    texts: Sequence[Sequence[Sequence[str]]], lm: NGramModel
) -> list[tuple[str, ...]]:
    """The most probable words of each text, by the Viterbi algorithm."""
    unknown = lm.unknown_id or 0
    reached: list[States] = [{lm.begin: (0.0, ())} for _ in texts]
    for place in range(max(map(len, texts), default=0)):
        asked = [
            (index, state, word)
            for index, text in enumerate(texts)
            if place < len(text)
            for word in text[place]
            for state in reached[index]
        ]
        log_probs, states = lm.score(
            torch.tensor([state for _, state, _ in asked]),
            torch.tensor([lm.ids.get(word, unknown) for _, _, word in asked]),
        )
        before = list(reached)
        for index, _, _ in asked:
            reached[index] = {}
        for (index, state, word), added, behind in zip(
            asked, log_probs.tolist(), states.tolist(), strict=True
        ):
            score, words = before[index][state]
            best = reached[index].get(behind)
            if best is None or score + added > best[0]:
                reached[index][behind] = (score + added, (*words, word))
    return [_end(states, lm) for states in reached]


def _end(reached: States, lm: NGramModel) -> tuple[str, ...]:
    """The best words if the text ends here."""
    states = torch.tensor(list(reached))
    ends, _ = lm.score(states, torch.full_like(states, lm.end_id))
    totals = [
        (score + end, words)
        for (score, words), end in zip(reached.values(), ends.tolist(), strict=True)
    ]
    return max(totals)[1]
