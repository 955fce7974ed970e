"""What an alignment is asked for, and whether to believe it."""

import re
from pathlib import Path
from statistics import fmean

from speechgru.files import printable, read_lines
from speechgru.interfaces import InputError, Tokenizer
from speechgru.transcribe.transcript import Transcript

DOUBTFUL = 0.1
"""Mean confidence of words below which a text is probably another one's."""


def doubt_text(transcript: Transcript) -> str | None:
    """Say that the words were probably not said there, if so."""
    confidence = fmean(word.confidence for word in transcript.words)
    if confidence >= DOUBTFUL:
        return None
    return (
        f"{printable(transcript.source)}: the words have a probability of "
        f"{confidence:.3f} on average; check that they are what is said there"
    )


def encode_text(text: str, tokenizer: Tokenizer) -> list[int]:
    """The tokens of a text. Raises InputError: there are none, or none spell it."""
    try:
        token_ids = tokenizer.encode(text)
    except InputError as error:
        found, _, _ = str(error).partition(";")
        raise InputError(
            f"the text {text[:60]!r}: {found}; spell it with the model's, e.g. "
            "numbers as words"
        ) from error
    if not token_ids:
        raise InputError(
            f"the text {text!r} holds nothing to align, expected words; give what "
            "was said"
        )
    return token_ids


def read_text(text: str) -> str:
    """The text itself, or that of the file of this name."""
    try:
        is_file = Path(text).is_file()
    except OSError:  # longer than any name
        is_file = False
    if is_file:
        return " ".join(read_lines(text, "a text"))
    if re.fullmatch(r"\S+\.[A-Za-z]\w{,4}", text):
        raise InputError(
            f"{text}: no such file; to align these very words, leave out the dot"
        )
    return text
