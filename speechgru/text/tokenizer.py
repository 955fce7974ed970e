"""One token per character."""

import contextlib
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from speechgru.interfaces import BLANK, InputError
from speechgru.text.casing import DOT_ABOVE, OWN_CASE, Case
from speechgru.text.normalize import (
    Digits,
    Punctuation,
    TextNormalizer,
    describe_character,
)
from speechgru.text.word_counts import count_words


class CharacterTokenizer:
    """Map transcripts to character ids and back.

    Token 0 is the CTC blank; the characters of the alphabet follow in their
    order. The space is a token like any other, if the alphabet holds it.

    Args:
        alphabet: the characters, each once, as they stand after normalisation.
        case, punctuation, digits, language: as for `TextNormalizer`.

    Raises:
        InputError: the alphabet is empty, repeats a character, or holds one
            that never occurs in a normalised transcript.
    """

    def __init__(
        self,
        alphabet: str,
        case: Case = "upper",
        punctuation: Punctuation = "space",
        digits: Digits = "keep",
        language: str | None = None,
    ) -> None:
        self.normalizer = TextNormalizer(case, punctuation, digits, language)
        _check_alphabet(alphabet, self.normalizer)
        self.alphabet = alphabet
        self.tokens = ("<blank>", *alphabet)
        self._ids = {token: index for index, token in enumerate(self.tokens)}

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[str],
        case: Case = "upper",
        punctuation: Punctuation = "space",
        digits: Digits = "keep",
        alphabet: str | None = None,
        language: str | None = None,
    ) -> "CharacterTokenizer":
        """Take the alphabet, sorted, from transcripts, if it is not given."""
        if alphabet is not None:
            return cls(alphabet, case, punctuation, digits, language)
        normalize = TextNormalizer(case, punctuation, digits, language)
        words = count_words(texts)
        characters = set(" " if words.several else "")
        for word in words.counts:
            characters.update(normalize(word))
        return cls("".join(sorted(characters)), case, punctuation, digits, language)

    def extended(self, characters: Iterable[str]) -> "CharacterTokenizer":
        """The same with more characters behind the others."""
        config = self.config()
        del config["_target_"]
        new = (c for c in characters if c not in self._ids)
        config["alphabet"] += "".join(new)
        return type(self)(**config)

    def config(self) -> dict[str, Any]:
        """Give the plain values from which this tokenizer can be built again."""
        return {
            "_target_": "speechgru.text.tokenizer.CharacterTokenizer",
            "alphabet": self.alphabet,
            **self.normalizer.config(),
        }

    def normalize(self, text: str) -> str:
        """Bring a transcript to the form that is trained on and scored."""
        return self.normalizer(text)

    def encode(self, text: str) -> list[int]:
        """Normalise a transcript and map it to token ids.

        Raises:
            InputError: a character is not in the alphabet, or is refused by
                the normaliser.
        """
        return self._spell(self.normalize(text))

    def _spell(self, normalized: str) -> list[int]:
        try:
            return [self._ids[character] for character in normalized]
        except KeyError as error:
            raise unknown_character(
                error.args[0], len(self.tokens), "extend text.alphabet"
            ) from None

    def decode(self, token_ids: Sequence[int]) -> str:
        """Map token ids to text, in Unicode NFC as `normalize` gives it.

        Raises:
            ValueError: an id is the blank or not a token.
        """
        text = "".join(look_up(self.tokens, token_ids))
        return compose(text, self.normalizer.case)


def look_up(tokens: Sequence[str], token_ids: Sequence[int]) -> list[str]:
    """The tokens of ids. Raises ValueError: an id is the blank or not a token."""
    for token_id in token_ids:
        if not BLANK < token_id < len(tokens):
            raise ValueError(
                f"token id {token_id} is no text, expected 1 to {len(tokens) - 1}"
            )
    return [tokens[token_id] for token_id in token_ids]


def compose(text: str, case: Case) -> str:
    """Bring tokens that were put together to the form that `normalize` gives."""
    text = unicodedata.normalize("NFC", text)
    if case == "lower":
        # Of checkpoints whose transcripts were made lower case with it.
        text = text.replace(f"i{DOT_ABOVE}", "i")
    return text


def unknown_character(character: str, num_tokens: int, remedy: str) -> InputError:
    """The error for a character that the tokens cannot spell."""
    return InputError(
        f"character {describe_character(character)} is not among the {num_tokens} "
        f"tokens; normalise the transcript or {remedy}"
    )


MOST_CHARACTERS = 100_000
"""Of an alphabet; the largest scripts have half as many."""


def _check_alphabet(alphabet: str, normalize: TextNormalizer) -> None:
    if not isinstance(alphabet, str):
        raise InputError(
            f"text.alphabet is {alphabet!r}, expected a string of characters"
        )
    if not alphabet:
        raise InputError(
            "text.alphabet is empty, expected at least one character; give one or "
            "check that the transcripts it is built from hold text"
        )
    if len(alphabet) > MOST_CHARACTERS:
        raise InputError(
            f"text.alphabet holds {len(alphabet)} characters, expected "
            f"{MOST_CHARACTERS} at most; leave out what no transcript holds"
        )
    before: set[str] = set()
    for character in alphabet:
        if character in before:
            raise InputError(
                f"text.alphabet holds {describe_character(character)} twice; remove one"
            )
        before.add(character)
        if not occurs(character, normalize):
            raise InputError(
                f"alphabet character {describe_character(character)} can never occur "
                f"after {find_cause(character, normalize)}; remove it from "
                "text.alphabet or change that option"
            )


def occurs(character: str, normalize: TextNormalizer) -> bool:
    """Whether a character can stand in a normalised transcript."""
    # Some stand only alone (kept quotation marks), others only beside a letter
    # (apostrophes, marks, joiners). No mark has a composed form with Q.
    for context in (character, f"Q{character}Q"):
        with contextlib.suppress(InputError):
            if character in normalize(context):
                return True
    return False


def find_cause(character: str, normalize: TextNormalizer) -> str:
    """The option by which a character never occurs, with its value."""
    if not occurs(character, TextNormalizer("keep", "keep", "keep")):
        return "Unicode normalisation (NFC, one kind of apostrophe and of space)"
    case = normalize.case
    language = normalize.language if normalize.language in OWN_CASE else None
    if not occurs(character, TextNormalizer(case, "keep", "keep", language)):
        return f"text.case={case}" + (f" in text.language={language}" * bool(language))
    digits, language = normalize.digits, normalize.language
    alone = TextNormalizer(
        "keep", "keep", digits, language if digits == "words" else None
    )
    if not occurs(character, alone):
        return f"text.digits={normalize.digits}"
    return f"text.punctuation={normalize.punctuation}"
