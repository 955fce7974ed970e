"""`speechgru errors`: what the errors of a system are, as tables."""

from collections.abc import Sequence

from speechgru.cli.config import read_command_line
from speechgru.files import to_json
from speechgru.options import ErrorsOptions

USAGE = """
usage: speechgru errors RUN|RESULTS [KEY=VALUE ...]

Print tables of a system's errors in Markdown: by how often words occur in
training, and what words that never do make of it; by length and by speaker; and
which words and characters are taken for which.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(ErrorsOptions, arguments, USAGE, (1, 1))
    from speechgru.report.errors import find_errors
    from speechgru.report.errors_text import format_errors

    show = line.options.show
    errors = find_errors(line.positional[0], line.options)
    if line.options.format == "json":
        print(to_json(errors.to_record(show), indent=2).decode())
    else:
        print(format_errors(errors, show))
    return 0
