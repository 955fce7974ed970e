"""The one form of a transcript that is trained on and scored."""

import unicodedata
from functools import lru_cache
from typing import Literal, get_args

from speechgru.interfaces import InputError
from speechgru.ranges import nearest
from speechgru.text.casing import OWN_CASE, Case, change_case
from speechgru.text.numbers import NumberWriter

Punctuation = Literal["space", "delete", "keep", "error"]
Digits = Literal["keep", "words", "error"]

APOSTROPHES = frozenset(
    "'`´"
    "‘’‛′＇"  # quotation marks and primes
    "ʹʻʼʽ"  # modifier letters
    "᾽"  # Greek koronis, for elision
    "՚"  # Armenian
    "׳"  # Hebrew geresh
)
"""Characters that mean an apostrophe beside a letter."""

JOINERS = "\u200c\u200d"  # part of the spelling in Persian and Indic scripts
ZERO_WIDTH_SPACE = "\u200b"  # a word boundary in Thai and Khmer


class TextNormalizer:
    """Bring transcripts of any script to one form.

    In this order: Unicode NFC; numbers, if they become words; case; typographic
    apostrophes beside a letter become "'"; punctuation; digits; runs of white space
    become one space and none stands at the ends; NFC. Normalising twice changes
    nothing more.

    A combining mark belongs to the character that it follows, so vowel signs
    are kept and the variation selector of an emoji goes with it. An apostrophe
    that touches no letter is punctuation. Invisible format characters (soft
    hyphen, direction marks, byte order mark) are deleted unless punctuation is
    kept; zero-width joiners stay between letters.

    Args:
        case: "upper", "lower" or "keep".
        punctuation: what to do with Unicode punctuation, symbols and control
            characters: replace by a "space", "delete", "keep" or "error".
        digits: "keep", "words" or "error"; numbers of every script.
        language: whose case is another than that of the others, see `change_case`; with
            digits="words" any that num2words has, see `NumberWriter`.

    Raises:
        InputError: an option has an unknown value, or would do nothing.
    """

    def __init__(
        self,
        case: Case = "upper",
        punctuation: Punctuation = "space",
        digits: Digits = "keep",
        language: str | None = None,
    ) -> None:
        _check_option("case", case, get_args(Case))
        _check_option("punctuation", punctuation, get_args(Punctuation))
        _check_option("digits", digits, get_args(Digits))
        self._write_numbers = NumberWriter(language) if digits == "words" else None
        if language is not None and digits != "words":
            if language not in OWN_CASE:
                raise InputError(
                    f"text.language is {language!r}, expected one of: "
                    f"{', '.join(OWN_CASE)}, whose case is another than that of the "
                    "others; leave it null for every other language, unless "
                    "text.digits=words"
                )
            if case == "keep":
                raise InputError(
                    f"text.language is {language}, but text.case=keep leaves the case "
                    "as it is; set text.case=upper or lower, or no language"
                )
        self.case = case
        self.language = language
        self.punctuation = punctuation
        self.digits = digits

    def config(self) -> dict[str, str | None]:
        """The options, by their names."""
        return {
            "case": self.case,
            "punctuation": self.punctuation,
            "digits": self.digits,
            "language": self.language,
        }

    def __call__(self, text: str) -> str:
        """Normalise a transcript.

        Raises:
            InputError: a digit or punctuation where the option says "error".
        """
        # Deleting brings characters together that Unicode may then compose. A
        # fixpoint is promised, not hoped for; the second pass mostly confirms.
        before, after = None, text
        while after != before:
            before, after = after, self._normalize_once(after, original=text)
        return after

    def _normalize_once(self, text: str, original: str) -> str:
        text = unicodedata.normalize("NFC", text)
        if self._write_numbers is not None:
            text = self._write_numbers(text)
        text = change_case(text, self.case, self.language)
        text = unicodedata.normalize("NFC", text)
        if self.punctuation != "keep":
            text = "".join(c for c in text if _kind(c) != "format")
        kinds = _resolve_kinds(text)
        kept = (
            self._replace(character, kind, original)
            for character, kind in zip(text, kinds, strict=True)
        )
        return unicodedata.normalize("NFC", " ".join("".join(kept).split()))

    def _replace(self, character: str, kind: str, original: str) -> str:
        if kind == "space":
            return " "
        if kind == "apostrophe":
            return "'"
        if kind == "number" and self.digits != "keep":
            raise InputError(
                f"{original!r}: digit {describe_character(character)} under "
                f"text.digits={self.digits}; write numbers out as words or set "
                "text.digits=keep"
            )
        if kind in ("letter", "number", "joiner") or self.punctuation == "keep":
            return character
        if kind == "stray joiner" or self.punctuation == "delete":
            return ""
        if self.punctuation == "error":
            raise InputError(
                f"{original!r}: punctuation {describe_character(character)} under "
                "text.punctuation=error; remove it or set text.punctuation=space"
            )
        return " "


def describe_character(character: str) -> str:
    """Quote a character; what cannot be seen alone also gets its Unicode name."""
    if character.isprintable() and unicodedata.category(character)[0] != "M":
        return f"'{character}'"
    name = unicodedata.name(character, "unnamed")
    return f"{character!r} (U+{ord(character):04X} {name})"


def _check_option(name: str, value: str, expected: tuple[str, ...]) -> None:
    if value not in expected:
        raise InputError(
            f"text.{name} is {value!r}, expected one of: {', '.join(expected)}"
            f"{nearest(str(value), expected)}"
        )


@lru_cache(maxsize=1 << 16)
def _kind(character: str) -> str:
    """Say what a character is, without regard to its neighbours."""
    if character in APOSTROPHES:
        return "apostrophe"
    if character in JOINERS:
        return "joiner"
    if character.isspace() or character == ZERO_WIDTH_SPACE:
        return "space"
    category = unicodedata.category(character)
    if category == "Cf":
        return "format"
    if category[0] in "PS" or category in ("Cc", "Cs"):
        return "punctuation"
    # Unassigned and private characters may be letters that Python does not
    # know; the tokenizer decides about them, not this file.
    return {"M": "mark", "N": "number"}.get(category[0], "letter")


def _resolve_kinds(text: str) -> list[str]:
    """Say what each character is, given its neighbours."""
    kinds = [_kind(character) for character in text]
    base = "punctuation"  # a mark at the start of a word modifies nothing
    for index, kind in enumerate(kinds):
        if kind == "mark":
            kinds[index] = base
        elif kind != "joiner":
            base = kind if kind in ("letter", "number") else "punctuation"
    inner = list(kinds)
    for index, kind in enumerate(kinds):
        beside = (
            index > 0 and kinds[index - 1] == "letter",
            index + 1 < len(kinds) and kinds[index + 1] == "letter",
        )
        if kind == "apostrophe" and not any(beside):
            inner[index] = "punctuation"
        if kind == "joiner" and not all(beside):
            inner[index] = "stray joiner"
    return inner
