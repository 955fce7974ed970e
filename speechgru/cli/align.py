"""`speechgru align`: when the words of a known text were said."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from speechgru.cli.config import read_command_line
from speechgru.cli.transcribe import expand_one
from speechgru.files import printable, read_lines, replace_file
from speechgru.interfaces import InputError
from speechgru.options import AlignOptions
from speechgru.threads import set_up_cpu
from speechgru.transcribe.formats import to_ctm, to_json, to_textgrid
from speechgru.transcribe.transcriber import Transcriber

USAGE = """
usage: speechgru align CHECKPOINT AUDIO TEXT [KEY=VALUE ...]

Find out when each word and token of a text was said in a recording (a file, or -
for standard input). TEXT is the text, or a file that holds it.
"""

DOUBTFUL = 0.1
"""Mean confidence of words below which a text is probably another one's."""

FORMATS = {"textgrid": to_textgrid, "ctm": to_ctm, "json": to_json}


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(AlignOptions, arguments, USAGE, (3, 3))
    config = line.config
    if config["format"] not in FORMATS:
        raise InputError(
            f"format is {config['format']!r}, expected one of: {', '.join(FORMATS)}"
        )
    checkpoint, name, text = line.positional
    source = expand_one(name)
    set_up_cpu(config["num_threads"])
    transcriber = Transcriber.from_checkpoint(
        checkpoint,
        config["device"],
        trust=config["trust"],
        max_memory=config["max_memory"],
    )
    transcript = transcriber.align(source, read_text(text))
    confidence = fmean(word.confidence for word in transcript.words)
    if confidence < DOUBTFUL:
        print(
            f"{printable(transcript.source)}: the words have a probability of "
            f"{confidence:.3f} on average; check that they are what is said there",
            file=sys.stderr,
        )
    written = FORMATS[config["format"]](transcript)
    if config["output"] is None:
        print(written)
    else:
        replace_file(config["output"], f"{written}\n".encode())
        print(f"alignment: {printable(config['output'])}")
    return 0


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
