"""One token per frequent word; the others are spelled."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from speechgru.interfaces import InputError
from speechgru.ranges import COUNT, check
from speechgru.text.casing import Case
from speechgru.text.normalize import (
    Digits,
    Punctuation,
    describe_character,
)
from speechgru.text.tokenizer import CharacterTokenizer
from speechgru.text.word_counts import Texts, count_words


class WordTokenizer(CharacterTokenizer):
    """Map transcripts to ids of whole words and, where a word has none, of characters.

    A model of few words cannot misspell those it has learned as a whole, and
    still spells those it has heard too seldom, or never. After the blank come
    the words, each with the space before it, then the characters.

    Args:
        alphabet: as for `CharacterTokenizer`.
        words: those with a token, each once, of characters of the alphabet.
        case, punctuation, digits, language: as for `TextNormalizer`.

    Raises:
        InputError: see `CharacterTokenizer`; or a word is empty, is there
            twice, or holds a space or a character that is not in the alphabet.

    Source:
        A mixture of words and characters: "Advancing acoustic-to-word CTC
        model", arXiv:1803.05566, which spells the words that are rare.
    """

    def __init__(
        self,
        alphabet: str,
        words: Sequence[str],
        case: Case = "upper",
        punctuation: Punctuation = "space",
        digits: Digits = "keep",
        language: str | None = None,
    ) -> None:
        super().__init__(alphabet, case, punctuation, digits, language)
        self.words = tuple(words)
        before: set[str] = set()
        characters = set(alphabet)
        for word in self.words:
            if not word or " " in word or word in before:
                raise InputError(
                    f"text.words holds {word!r}, expected each word once, without "
                    "spaces; remove it"
                )
            foreign = next((c for c in word if c not in characters), None)
            if foreign is not None:
                raise InputError(
                    f"the word {word!r} of text.words holds "
                    f"{describe_character(foreign)}, which is not in text.alphabet; "
                    "add it there, or remove the word"
                )
            before.add(word)
        # Last, so that fine-tuning can append to the alphabet.
        spaced = [f" {word}" for word in self.words]
        self.tokens = (self.tokens[0], *spaced, *alphabet)
        self._ids = {token: index for index, token in enumerate(self.tokens)}

    @classmethod
    def from_texts(  # type: ignore[override]  # a name of its own: min_count
        cls, texts: Iterable[str], min_count: int = 10, **options: Any
    ) -> "WordTokenizer":
        """Take words, and the alphabet if it is not given, from transcripts.

        Args:
            texts: transcripts to train on.
            min_count: occurrences that make a word a token.
            options: as for `CharacterTokenizer.from_texts`.
        """
        check("min_count", min_count, COUNT)
        found = count_words(texts)
        spelling = CharacterTokenizer.from_texts(Texts((), lambda: found), **options)
        counts: Counter[str] = Counter()
        for raw, count in found.counts.items():
            for word in spelling.normalize(raw).split():
                counts[word] += count
        words = sorted(
            word
            for word, count in counts.items()
            if count >= min_count and set(word) <= set(spelling.alphabet)
        )
        config = spelling.config()
        del config["_target_"]
        return cls(**config, words=words)

    def config(self) -> dict[str, Any]:
        """Give the plain values from which this tokenizer can be built again."""
        return {
            **super().config(),
            "_target_": "speechgru.text.word_tokenizer.WordTokenizer",
            "words": list(self.words),
        }

    def encode(self, text: str) -> list[int]:
        """Normalise a transcript and map it to token ids.

        Raises:
            InputError: as for `CharacterTokenizer`.
        """
        ids: list[int] = []
        for word in self.normalize(text).split():
            spaced = f" {word}"
            if spaced in self._ids:
                ids.append(self._ids[spaced])
            else:
                ids += self._spell(spaced if ids else word)
        return ids

    def decode(self, token_ids: Sequence[int]) -> str:
        """Map token ids to text, in Unicode NFC as `normalize` gives it.

        Raises:
            ValueError: as for `CharacterTokenizer`.
        """
        return super().decode(token_ids).removeprefix(" ")
