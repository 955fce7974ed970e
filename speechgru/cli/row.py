"""`speechgru row`: rows of a recipe's table."""

from collections.abc import Sequence
from pathlib import Path

from speechgru.cli.config import read_command_line
from speechgru.options import RowOptions

USAGE = """
usage: speechgru row RUN [RUN ...] [KEY=VALUE ...]

Print rows of a recipe's table in Markdown. The RUNs are folders of runs that
differ in nothing but the seed; each may have gone on (init_from) from a checkpoint
of its own seed. Every file of results that all of them hold makes a row, with the
mean over the seeds.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(RowOptions, arguments, USAGE, (1, 1000))
    from speechgru.report.rows import format_rows, make_rows

    rows = make_rows([Path(name) for name in line.positional], line.options.trust)
    print(format_rows(rows))
    return 0
