"""`speechgru advise`: what to train a corpus with, by what was measured on others."""

from collections.abc import Sequence

from speechgru.cli.config import read_command_line
from speechgru.options import AdviseOptions
from speechgru.process_memory import ask_for_huge_pages

USAGE = """
usage: speechgru advise corpus=NAME [fold=1/4] [KEY=VALUE ...]

Recommend a recipe for a corpus: that of the nearest of the runs that were measured in
this project, changed where the corpora differ, and why. Says what an epoch costs here,
by 20 steps of it, how full the steps are, what word error rates comparable corpora
reached, and what is not known. Nothing is written.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = read_command_line(AdviseOptions, arguments, USAGE, (0, 0)).options
    ask_for_huge_pages()  # as training does, whose steps are timed
    from speechgru.training.advising import advise

    print("\n".join(advise(options)))
    return 0
