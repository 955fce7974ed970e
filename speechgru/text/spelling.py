"""Words as strings of units, which tokens are made of."""

from collections.abc import Sequence
from typing import Protocol

from speechgru.interfaces import PhoneticTokenizer, Tokenizer
from speechgru.text.byte_tokens import BYTES

_FIRST_BYTE = 0xDC00
"""Of 256 code points that no text holds, lone surrogates; each stands for a byte."""

_FIRST_SOUND = 0xE000
"""Of the code points that stand for sounds, in a private area."""


class Spelling(Protocol):
    """How the tokens of a model spell words.

    A unit is one Python character, so that a word is walked along as a string
    whatever the tokens are.

    Attributes:
        units: of each token; of the blank none. A space begins a word.
        known: all units.
    """

    units: tuple[str, ...]
    known: frozenset[str]

    def __call__(self, word: str, sounds: Sequence[str] = ()) -> str:
        """The units of a normalised word; those that no token has are not in `known`.

        Args:
            word: without spaces.
            sounds: how it is pronounced, where units are sounds; none: as usual.

        Raises:
            NoSoundError: it has no sound.
        """


def find_spelling(tokenizer: Tokenizer) -> Spelling:
    """How the tokens of a tokenizer spell words."""
    if isinstance(tokenizer, PhoneticTokenizer):
        return SoundSpelling(tokenizer)
    return CharacterSpelling(tokenizer.tokens)


class CharacterSpelling:
    """See `Spelling`: units are characters, and bytes where there are tokens for any.

    Args:
        tokens: all of them, the blank first.
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        self.units = ("", *(_to_units(token) for token in tokens[1:]))
        self.known = frozenset("".join(self.units))
        self._has_bytes = any(token in BYTES for token in tokens)

    def __call__(self, word: str, sounds: Sequence[str] = ()) -> str:
        """See `Spelling`."""
        if not self._has_bytes:
            return word
        return "".join(
            character
            if character in self.known
            else "".join(chr(_FIRST_BYTE + byte) for byte in character.encode())
            for character in word
        )


def _to_units(token: str) -> str:
    byte = BYTES.get(token)
    return token if byte is None else chr(_FIRST_BYTE + byte)


class SoundSpelling:
    """See `Spelling`: units are the sounds of a phonetic tokenizer.

    Args:
        tokenizer: of the words.
    """

    def __init__(self, tokenizer: PhoneticTokenizer) -> None:
        sounds = dict.fromkeys(token.strip() for token in tokenizer.tokens[1:])
        self._unit_of = {
            sound: chr(_FIRST_SOUND + place) for place, sound in enumerate(sounds)
        }
        self.units = (
            "",
            *(
                " " * token.startswith(" ") + self._unit_of[token.strip()]
                for token in tokenizer.tokens[1:]
            ),
        )
        self.known = frozenset("".join(self.units))
        self._pronounce = tokenizer.pronounce

    def __call__(self, word: str, sounds: Sequence[str] = ()) -> str:
        """See `Spelling`."""
        return "".join(
            self._unit_of[sound] for sound in sounds or self._pronounce(word)
        )
