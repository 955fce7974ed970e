"""`speechgru probe`: the largest batch that fits the device."""

from collections.abc import Sequence

from speechgru.cli.config import read_command_line
from speechgru.options import ProbeOptions
from speechgru.process_memory import ask_for_huge_pages

USAGE = """
usage: speechgru probe [recipe=NAME] [corpus=NAME] [GROUP=CHOICE ...] [KEY=VALUE ...]

Find the largest data.batch_seconds that fits the memory of trainer.accelerator, with
the options that training will have. Steps are taken on the longest utterances of the
corpus, more and more at once, and timed. Nothing is written.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = read_command_line(ProbeOptions, arguments, USAGE, (0, 0)).options
    ask_for_huge_pages()  # as training does, whose steps are timed
    from speechgru.training.probe import probe

    print(probe(options))
    return 0
