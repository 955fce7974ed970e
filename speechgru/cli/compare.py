"""`speechgru compare`: whether one system is better than another."""

from collections.abc import Sequence
from string import ascii_uppercase

from speechgru.cli.config import read_command_line
from speechgru.files import printable, replace_file, to_json
from speechgru.options import CompareOptions

USAGE = """
usage: speechgru compare RESULTS RESULTS [RESULTS ...] [KEY=VALUE ...]

Compare systems on the same utterances. RESULTS are what `evaluate` writes, or
lines of JSON with id, reference and hypothesis from any system. Prints each
pair's difference in WER with its 95 % interval (paired bootstrap), NIST's
matched-pairs sentence-segment test, the words that one system has right and the
other has not, and the utterances on which they differ most.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(
        CompareOptions, arguments, USAGE, (2, len(ascii_uppercase))
    )
    from speechgru.report.comparison import compare_systems
    from speechgru.report.comparison_text import format_comparison

    output = line.options.output
    compared = compare_systems(line.positional, line.options)
    if output is not None:  # before anything is printed
        replace_file(output, to_json(compared.to_record(), indent=2))
    print(format_comparison(compared, line.options.show))
    if output is not None:
        print(f"\neverything: {printable(str(output))}")
    return 0
