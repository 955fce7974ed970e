"""`speechgru report`: results as a page to look at and to listen to."""

import sys
from collections.abc import Sequence

from speechgru.cli.config import read_command_line
from speechgru.files import printable, replace_file
from speechgru.options import ReportOptions

USAGE = """
usage: speechgru report RUN|RESULTS [RUN|RESULTS ...] [KEY=VALUE ...]

Make one page of HTML of a run's results, or of files of results: error rates
with their intervals, learning curves, confusions, and every utterance, the worst
first, to listen to and to look at. The page loads nothing from the network.

Of a run that trains, or was not evaluated so far, it shows the learning curves and
what was heard in validation, and says what is missing.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(ReportOptions, arguments, USAGE, (1, 26))
    from speechgru.report.build import build_report

    report = build_report(line.positional, line.options)
    content = report.page.encode()
    replace_file(report.output, content)
    for remark in report.remarks:
        print(remark, file=sys.stderr)
    size = len(content) / 2**20
    print(f"report: {printable(str(report.output))} ({size:.1f} MiB)")
    return 0
