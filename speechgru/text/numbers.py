"""Numbers as words, by num2words."""

import re
import unicodedata
from functools import lru_cache
from typing import Any

from speechgru.interfaces import InputError
from speechgru.ranges import nearest

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")

POINTS = ("en", "ja", "ko", "th", "he", "te", "kn", "bn", "fr_CH", "es_GT", "es_NI")
"""Languages and families whose decimals begin with a point; elsewhere it is a comma."""

ENGLISH_ORDINAL = re.compile(r"(?:st|nd|rd|th)\b", re.IGNORECASE)

MOST_DIGITS = 15
"""Of a number; longer ones are read digit by digit, and those that begin with 0."""


class NumberWriter:
    """Write the numbers of a text as words.

    Cardinals, with marks between their thousands; decimals, as the number before
    the mark, the mark and single digits; of English also ordinals such as 21st. A
    number that is cut otherwise, e.g. a date or a time, is written part by part.

    Args:
        language: as num2words calls it, e.g. "en" or "pt_BR".

    Raises:
        InputError: num2words is not installed, or has no such language.
    """

    def __init__(self, language: str | None) -> None:
        known = _converters()
        if language not in known:
            found = "null" if language is None else repr(language)
            meant = "" if language is None else nearest(language, known)
            raise InputError(
                f"text.language is {found}, but text.digits=words needs one of: "
                f"{', '.join(sorted(known))}{meant}"
            )
        self.language = language

    def __call__(self, text: str) -> str:
        """Write out all numbers.

        Raises:
            InputError: a number that num2words cannot write.
        """
        parts = []
        end = 0
        for match in NUMBER.finditer(text):
            if match.start() < end:
                continue
            before, last, end = text[end : match.start()], end, match.end()
            # Marks between two numbers go with other punctuation, and leave no space.
            if last and not any(c.isspace() or c.isalnum() for c in before):
                before = f" {before} "
            digits = _to_ascii(match[0])
            ordinal = None
            if self.language.partition("_")[0] == "en" and digits.isdigit():
                ordinal = ENGLISH_ORDINAL.match(text, end)
            if ordinal is not None:
                end = ordinal.end()
                words = self._say(digits, to="ordinal")
            else:
                words = self._write(digits)
            # Letters beside a number are another word.
            left = " " if text[: match.start()][-1:].isalnum() else ""
            right = " " if text[end : end + 1].isalnum() else ""
            parts += [before, left, words, right]
        return "".join([*parts, text[end:]])

    def _write(self, number: str) -> str:
        """A number with marks in it, in ASCII."""
        family = self.language.partition("_")[0]
        has_point = family in POINTS or self.language in POINTS
        mark, between = (".", ",") if has_point else (",", ".")
        pattern = rf"(\d{{1,3}}(?:{re.escape(between)}\d{{3}})+|\d+)"
        whole = re.fullmatch(rf"{pattern}(?:{re.escape(mark)}(\d+))?", number)
        if whole is None:
            spaced = re.sub(r"\d+", lambda part: f" {self._say(part[0])} ", number)
            return spaced.strip()
        integer, fraction = whole.groups()
        words = self._say(integer.replace(between, ""))
        if fraction is None:
            return words
        said = _clean(getattr(_converters()[self.language], "pointword", ""))
        if not said:
            raise self._refuse(number)
        return " ".join([words, said, *map(self._say, fraction)])

    def _say(self, digits: str, to: str = "cardinal") -> str:
        if len(digits) > MOST_DIGITS or (digits[0] == "0" and len(digits) > 1):
            return " ".join(map(self._say, digits))
        words = _say(digits, self.language, to)
        if not words:
            raise self._refuse(digits)
        return words

    def _refuse(self, number: str) -> InputError:
        return InputError(
            f"the number {number!r} cannot be written in text.language="
            f"{self.language}; write it as it is said"
        )


@lru_cache(maxsize=1 << 16)
def _say(digits: str, language: str, to: str) -> str:
    from num2words import num2words

    try:
        return _clean(num2words(int(digits), lang=language, to=to))
    except (ArithmeticError, LookupError, NotImplementedError, TypeError, ValueError):
        return ""


def _clean(words: str) -> str:
    """Without the hyphens and commas between words."""
    kept = (
        " " if unicodedata.category(c)[0] in "PS" and c not in "'’" else c
        for c in words
    )
    return " ".join("".join(kept).split())


def _to_ascii(number: str) -> str:
    """Digits of any script as those of ASCII."""
    return "".join(str(int(c)) if c.isdigit() else c for c in number)


def _converters() -> dict[str, Any]:
    try:
        from num2words import CONVERTER_CLASSES
    except ImportError as error:
        raise InputError(
            "text.digits=words needs num2words; install it with: "
            'pip install "speechgru[numbers]", or set text.digits=keep'
        ) from error
    known: dict[str, Any] = CONVERTER_CLASSES
    return known
