"""`speechgru cut`: transcribed recordings as utterances to train on."""

import sys
from collections.abc import Sequence

from speechgru.cli.config import read_command_line
from speechgru.files import printable
from speechgru.options import CutOptions

USAGE = """
usage: speechgru cut TRANSCRIPTS [TRANSCRIPTS ...] [output=MANIFEST] [KEY=VALUE ...]

Cut what `transcribe` or `align` wrote with format=jsonl into utterances to train on: at
pauses between words, where a recording is longer than max_seconds. What the model is
not sure of is left out with min_confidence=, and counted.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(CutOptions, arguments, USAGE, (1, sys.maxsize))
    from speechgru.transcribe.cutting import write_cut

    lines = write_cut(line.positional, line.options)
    print("\n".join(map(printable, lines)))
    return 0
