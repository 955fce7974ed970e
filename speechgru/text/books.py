"""English books of Project Gutenberg, as sentences in LibriSpeech's form."""

import re
import unicodedata
from collections.abc import Iterator

from speechgru.text.numbers import NumberWriter

START = re.compile(
    r"^(?:\*\*\* ?START OF TH(?:E|IS) PROJECT GUTENBERG.*|"
    r"\*END\*? ?THE SMALL PRINT.*)$",
    re.MULTILINE | re.IGNORECASE,
)
STOP = re.compile(
    r"^(?:\*\*\* ?END OF TH(?:E|IS) PROJECT GUTENBERG|"
    r"End of (?:the |this )?Project Gutenberg)",
    re.MULTILINE | re.IGNORECASE,
)
"""What stands before a book and behind it: the rest is about the file."""

BESIDE = re.compile(
    r"^(?:produced by|e-?text prepared|this e-?(?:text|book)|transcriber|prepared by|"
    r"scanned|transcribed|\[?illustration|footnote|proofread|http|copyright)|"
    r".*(?:gutenberg|e-?text\b|@)",
    re.IGNORECASE,
)
"""Paragraphs that are not the book's, by their beginning or by what they name."""

BRACKETS = re.compile(r"\[[^\]]*\]|\{[^}]*\}|<[^>]*>")
"""Notes, numbers of pages, and marks of the typesetting."""

SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)\]_]*\s+(?=[\"'“‘(_]*[A-Z0-9])")

SPOKEN = {
    "Mr": "mister",
    "Mrs": "missus",
    "Messrs": "messieurs",
    "Dr": "doctor",
    "St": "saint",
    "Capt": "captain",
    "Col": "colonel",
    "Gen": "general",
    "Lieut": "lieutenant",
    "Prof": "professor",
    "Rev": "reverend",
    "Hon": "honorable",
    "etc": "et cetera",
}
"""How abbreviations are read; those that have more than one reading are left."""

ABBREVIATION = re.compile(rf"\b({'|'.join(SPOKEN)})\b\.?")
WITH_POINT = frozenset({"St", "Col", "Gen", "Hon", "Rev", "etc"})
"""Abbreviations that are words or names, too, unless a point follows."""

FOREIGN = re.compile(r"[^A-Z']+")
QUOTE = re.compile(r"(?<![A-Z])'+|'+(?![A-Z])")
BEGINNINGS = (
    "TIS",
    "TWAS",
    "TWERE",
    "TWILL",
    "TWOULD",
    "EM",
    "TWIXT",
    "NEATH",
    "GAINST",
)
"""Words that are written with an apostrophe before them."""

FEWEST_WORDS = 2
"""Of a sentence; shorter ones are headings and exclamations as often as not."""


def read_sentences(text: str) -> Iterator[str]:
    """Give the sentences of a book: upper case A to Z and the apostrophe.

    What Project Gutenberg puts before and behind a book is left out, and so are
    headings, notes in brackets and whatever else has no lower-case letters. Numbers
    and the commonest abbreviations become words; accents are dropped.

    Args:
        text: of the file.

    Raises:
        InputError: num2words is not installed.
    """
    write_numbers = NumberWriter("en")
    for paragraph in _cut_paragraphs(text):
        for sentence in SENTENCE_END.split(paragraph):
            if any(character.isdigit() for character in sentence):
                sentence = write_numbers(sentence)
            words = in_letters(sentence)
            if words.count(" ") >= FEWEST_WORDS - 1:
                yield words


def _cut_paragraphs(text: str) -> Iterator[str]:
    """The book's own paragraphs, each on one line."""
    text = text.replace("\r\n", "\n")
    for match in START.finditer(text[: len(text) // 2]):
        begin = match.end()
        if STOP.search(text, begin) or not STOP.search(text):
            text = text[begin:]
            break
    stop = STOP.search(text)
    if stop is not None:
        text = text[: stop.start()]
    for paragraph in re.split(r"\n\s*\n", text):
        joined = " ".join(BRACKETS.sub(" ", paragraph).split())
        if BESIDE.match(joined) or not _is_prose(joined):
            continue
        yield ABBREVIATION.sub(_say, joined.replace("_", ""))


def _is_prose(paragraph: str) -> bool:
    """Whether it has a sentence's end, and more letters than a table or a heading."""
    small = sum(character.islower() for character in paragraph)
    has_end = any(mark in paragraph for mark in ".!?;,")
    return has_end and small > len(paragraph) / 2


def _say(match: re.Match[str]) -> str:
    """An abbreviation in full, and a title's capital gone with it."""
    short = match[1]
    if short in WITH_POINT and not match[0].endswith("."):
        return match[0]
    return SPOKEN[short]


def in_letters(sentence: str) -> str:
    """A sentence in the letters that LibriSpeech has."""
    sentence = sentence.replace("&c", "et cetera").replace("&", " and ")
    sentence = sentence.replace("’", "'").replace("‘", "'")
    letters = unicodedata.normalize("NFKD", sentence)
    letters = "".join(c for c in letters if not unicodedata.combining(c))
    letters = FOREIGN.sub(" ", letters.upper().replace("Æ", "AE").replace("Œ", "OE"))
    return " ".join(QUOTE.sub(_keep_apostrophe, letters).split())


def _keep_apostrophe(match: re.Match[str]) -> str:
    """What remains of apostrophes at the edges of a word, which often are quotes."""
    before, behind = match.string[: match.start()], match.string[match.end() :]
    is_plural = before.endswith("S") and not behind[:1].isalpha()
    is_short = behind.startswith(BEGINNINGS) and not before[-1:].isalpha()
    return "'" if is_plural or is_short else " "
