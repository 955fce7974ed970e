"""`speechgru lm`: a language model from text."""

import sys
from collections.abc import Sequence

from speechgru.cli.run_line import read_run_line
from speechgru.files import printable
from speechgru.options import LmOptions

USAGE = """
usage: speechgru lm RUN_FOLDER [TEXT_FILE...] [KEY=VALUE ...]
       speechgru lm [TEXT_FILE...] [corpus=NAME] [KEY=VALUE ...]

Estimate an n-gram language model from the training transcripts of a corpus, from
text files of one sentence a line, or from both, and write it as an ARPA file.

Of a run they are the transcripts that it was trained on, treated as its checkpoint
treats text; the file lies in its folder, where speechgru tune RUN_FOLDER finds it.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line, changes = read_run_line(LmOptions, arguments, USAGE, (0, sys.maxsize))
    from speechgru.evaluation.language_model import estimate

    output, description = estimate(line.positional, line.options, changes)
    print(description)
    print(f"language model: {printable(str(output))}")
    return 0
