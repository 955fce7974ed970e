"""`speechgru transcribe`: audio files to text."""

import sys
from collections.abc import Sequence

from speechgru.cli.config import read_command_line
from speechgru.options import TranscribeOptions
from speechgru.progress import say_line, track, without_bars

USAGE = """
usage: speechgru transcribe CHECKPOINT AUDIO... [KEY=VALUE ...]

Transcribe files, folders (every recording below), globs, or - for standard
input, at any sample rate. Texts go to standard output in the order given; what
cannot be transcribed is named on standard error, and the exit code is then 1.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(TranscribeOptions, arguments, USAGE, (2, sys.maxsize))
    from speechgru.transcribe.format_table import find_format
    from speechgru.transcribe.inputs import list_inputs
    from speechgru.transcribe.load import load_transcriber
    from speechgru.transcribe.many_inputs import transcribe_inputs
    from speechgru.transcribe.output import plan_output
    from speechgru.transcribe.transcript import Failure

    options = line.options
    checkpoint, *names = line.positional
    written = find_format(options.format)
    inputs = list_inputs(names)
    write = plan_output(options.output, options.format, inputs) or _print
    results = transcribe_inputs(
        inputs,
        lambda: load_transcriber(checkpoint, options, options, options.segment),
        options.batch_seconds,
    )
    failures = 0
    for each in track(inputs, "transcribe", "files"):
        result = next(results)
        if isinstance(result, Failure):
            failures += 1
            say_line(f"speechgru transcribe: {result.message}")
        else:
            write(each, written.render(result, named=len(inputs) > 1))
    if failures:
        print(
            f"speechgru transcribe: {failures} of {len(inputs)} not transcribed",
            file=sys.stderr,
        )
    return 1 if failures else 0


def _print(_: object, text: str) -> None:
    with without_bars():
        print(text, end="", flush=True)
