"""`speechgru align`: when the words of a known text were said."""

import sys
from collections.abc import Sequence

from speechgru.checkpoint.chosen import choose_checkpoint
from speechgru.cli.config import read_command_line
from speechgru.files import printable, replace_file
from speechgru.options import AlignOptions, DecodeOptions

USAGE = """
usage: speechgru align CHECKPOINT AUDIO TEXT [KEY=VALUE ...]

Find out when each word and token of a text was said in a recording (a file, or -
for standard input). TEXT is the text, or a file that holds it.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(AlignOptions, arguments, USAGE, (3, 3))
    from speechgru.transcribe.aligning import doubt_text, plan_files, read_text
    from speechgru.transcribe.format_table import find_formats
    from speechgru.transcribe.inputs import expand_one
    from speechgru.transcribe.load import load_transcriber
    from speechgru.transcribe.parts import take_part
    from speechgru.transcribe.places import encode

    options = line.options
    formats = find_formats(options.format)
    checkpoint, name, text = line.positional
    checkpoint = str(choose_checkpoint(checkpoint))
    paths = plan_files(name, options.output, formats, options.overwrite)
    source = take_part(expand_one(name), options)
    transcriber = load_transcriber(
        checkpoint, DecodeOptions(trust=options.trust), options
    )
    transcript = transcriber.align(source, read_text(text))
    doubt = doubt_text(transcript)
    if doubt:
        print(doubt, file=sys.stderr)
    written = [format.render(transcript, named=False) for format in formats]
    for path, content in zip(paths, written, strict=False):
        replace_file(path, encode(content))
        print(f"alignment: {printable(str(path))}")
    if not paths:
        print(written[0], end="")
    return 0
