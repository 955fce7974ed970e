"""What normalisation makes of transcripts, beyond case: to be seen before training."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache

from speechgru.interfaces import InputError
from speechgru.text.normalize import APOSTROPHES, describe_character

MARKUP = re.compile(r"<[^<>]*>|\[[^\[\]]*\]|\{[^{}]*\}|\([^()]*\)")
SAID = frozenset("%&@#/\\*§")
"""Punctuation that is said aloud, as symbols are."""
IN_NUMBER = re.compile("\\d[.,:/\u2212-]\\d")
SCRIPTS = ("LATIN", "CYRILLIC", "GREEK")
"""Whose letters look alike."""

NUM_SHOWN = 6
"""Examples of a kind."""

OR_WORDS = "write them as they are said, or set text.digits=words"

KINDS = {
    "markup": ("brackets, trained on as words", "take out what is not said"),
    "symbols": ("symbols that are left out", "write them as they are said"),
    "written": ("numbers that become words", "see whether they are said so"),
    "numbers": ("numbers that are taken apart", OR_WORDS),
    "digits": ("digits, trained on one by one", OR_WORDS),
    "scripts": ("letters of two scripts that look alike", "take those of one"),
    "dots": ("i and ı, which become one letter", "set text.language=tr or az"),
    "split": ("words that become several", "write them as one, if they are"),
}
"""What texts of each kind have, and the remedy."""


class Changes:
    """Collects what normalisation changes in transcripts.

    Args:
        normalize: brings a text to the form that is trained on.
    """

    def __init__(self, normalize: Callable[[str], str]) -> None:
        self.normalize = normalize
        self.left_out: Counter[str] = Counter()
        self.texts = {kind: Counter[tuple[str, str]]() for kind in KINDS}
        self.first: dict[tuple[str, str], str] = {}
        self.merged = {
            dotted
            for dotted, other in (("ı", "i"), ("İ", "I"))
            if normalize(dotted) == normalize(other)
        }

    def add(self, id: str, text: str) -> None:
        """Look at the transcript of an utterance."""
        if text.isascii() and text.replace(" ", "").isalpha():
            return
        for part in _cut(text):
            try:
                after = self.normalize(part)
            except InputError:  # a problem, of which the doctor tells by itself
                continue
            lost = [c for c in part if _is_sign(c) and c not in after]
            if "'" in after:
                lost = [c for c in lost if c not in APOSTROPHES]
            self.left_out.update(lost)
            kind = self._kind(part, after, lost)
            if kind is not None:
                self.texts[kind][part, after] += 1
                self.first.setdefault((part, after), id)

    def _kind(self, part: str, after: str, lost: list[str]) -> str | None:
        if MARKUP.fullmatch(part):
            return "markup" if after else None
        if any(c in SAID or unicodedata.category(c)[0] == "S" for c in lost):
            return "symbols"
        if _has_number(part) and not _has_number(after):
            return "written"
        if IN_NUMBER.search(part) and not IN_NUMBER.search(after):
            return "numbers"
        if _has_number(after):
            return "digits"
        if len({_script(c) for c in part} - {None}) > 1:
            return "scripts"
        if self.merged & set(part):
            return "dots"
        return "split" if " " in after else None

    def notes(self) -> list[str]:
        """Lines that tell what was changed, how often, with some examples."""
        notes = []
        for kind, texts in self.texts.items():
            some = [
                f"{_show(before)} -> {_show(after)} ({count}, first in "
                f"{self.first[before, after]})"
                for (before, after), count in texts.most_common(NUM_SHOWN)
            ]
            if some:
                what, remedy = KINDS[kind]
                notes.append(
                    f"transcripts have {what} ({texts.total()} in all): "
                    f"{_join(some, len(texts))}; {remedy}"
                )
        some = [
            f"{describe_character(character)} {count}"
            for character, count in self.left_out.most_common(2 * NUM_SHOWN)
        ]
        if some:
            notes.append(
                "transcripts lose characters by normalisation: "
                f"{_join(some, len(self.left_out))}"
            )
        return notes


def _cut(text: str) -> Iterator[str]:
    """Cut into words, and what stands in brackets."""
    end = 0
    for match in MARKUP.finditer(text):
        yield from text[end : match.start()].split()
        yield match[0]
        end = match.end()
    yield from text[end:].split()


def _has_number(text: str) -> bool:
    return any(unicodedata.category(c)[0] == "N" for c in text)


def _is_sign(character: str) -> bool:
    """Whether it is punctuation, a symbol, or cannot be seen."""
    category = unicodedata.category(character)
    return category[0] in "PS" or category in ("Cc", "Cf")


@lru_cache(maxsize=1 << 16)
def _script(character: str) -> str | None:
    name = unicodedata.name(character, "").partition(" ")[0]
    return name if name in SCRIPTS and character.isalpha() else None


def _show(text: str) -> str:
    text = text if len(text) <= 40 else f"{text[:37]}..."
    return f"'{text}'" if text.isprintable() else ascii(text)


def _join(some: list[str], total: int) -> str:
    rest = total - len(some)
    return ", ".join(some) + (f" and {rest} others" if rest else "")
