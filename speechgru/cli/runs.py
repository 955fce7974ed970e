"""`speechgru runs`: what was tried, and how well it went."""

import sys
from collections.abc import Sequence
from pathlib import Path

from speechgru.cli.config import read_command_line
from speechgru.files import printable, to_json
from speechgru.options import RunsOptions

USAGE = """
usage: speechgru runs [FOLDER ...] [KEY=VALUE ...]

List the runs below runs_dir, or below the folders given: the seed, how far they
got, CPU time, the lowest WER on dev, the WERs that `evaluate` found, and by what
each configuration differs from what most runs have.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(RunsOptions, arguments, USAGE, (0, 1000))
    from speechgru.report.runs import list_runs
    from speechgru.report.runs_table import format_runs

    options = line.options
    roots = [Path(name) for name in line.positional] or [options.runs_dir]
    listed = list_runs(roots, options.ignore)
    if options.format == "json":
        print(to_json(listed.to_records(), indent=2).decode())
    elif listed.runs:
        print(format_runs(listed))
    for why in listed.damaged:
        print(printable(f"left out: {why}"), file=sys.stderr)
    return 1 if listed.damaged else 0
