"""What an alignment is asked for, and whether to believe it."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from speechgru.files import printable, read_lines
from speechgru.interfaces import InputError, Tokenizer
from speechgru.transcribe.format_table import Format, check_ending
from speechgru.transcribe.inputs import STANDARD_INPUT
from speechgru.transcribe.output import BESIDE, names_folder
from speechgru.transcribe.transcript import NAMELESS, Transcript

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


def plan_files(
    name: str, output: str | None, formats: Sequence[Format], overwrite: bool
) -> list[Path]:
    """Where the files of an alignment go, one of each format; see `open_output`.

    Args:
        name: of the recording, as it was given.
        output: of the command; None: nowhere, so that there is no file.
        formats: of the files.
        overwrite: whether they may be there.

    Raises:
        InputError: a file is there, or called as one of another format, or there are
            several formats and no folder.
    """
    if output is None:
        if len(formats) > 1:
            raise InputError(
                f"there are {len(formats)} formats, but output is not set, expected a "
                "folder for a file of each; set output=FOLDER/, or beside"
            )
        return []
    stem, folder = os.path.basename(os.path.splitext(name)[0]), output
    if name == NAMELESS:
        stem = STANDARD_INPUT
    if output == BESIDE:
        folder = os.path.dirname(name)
    is_file = folder == output and not names_folder(output, len(formats))
    paths = [Path(folder, stem + format.ENDING) for format in formats]
    if is_file:
        check_ending(formats[0], output)
        paths = [Path(output)]
    for path in paths:
        if not overwrite and (os.path.isfile(path) or os.path.islink(path)):
            raise InputError(
                f"{printable(str(path))}: exists already, expected a new file; move it "
                "away, set another output, or overwrite=true"
            )
    return paths
