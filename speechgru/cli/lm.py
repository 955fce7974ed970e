"""`speechgru lm`: a language model from text."""

import sys
from collections.abc import Sequence

from speechgru.cli.config import read_command_line
from speechgru.files import printable
from speechgru.options import LmOptions

USAGE = """
usage: speechgru lm [TEXT_FILE...] [corpus=NAME] [KEY=VALUE ...]

Estimate an n-gram language model from the training transcripts of a corpus, from
text files of one sentence a line, or from both, and write it as an ARPA file.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(LmOptions, arguments, USAGE, (0, sys.maxsize))
    from speechgru.evaluation.language_model import estimate

    output, description = estimate(line.positional, line.options)
    print(description)
    print(f"language model: {printable(str(output))}")
    return 0
