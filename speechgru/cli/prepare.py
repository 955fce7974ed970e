"""`speechgru prepare`: from an archive to manifests."""

from collections.abc import Sequence

from speechgru.cli.config import read_command_line
from speechgru.options import PrepareOptions

USAGE = """
usage: speechgru prepare corpus=NAME [KEY=VALUE ...]

Take the corpus from corpus.archive, from the folder SPEECHGRU_ARCHIVES or from
the network, check it, and write its manifests below data_dir.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = read_command_line(PrepareOptions, arguments, USAGE, (0, 0)).options
    from speechgru.factory import build_corpus

    print(build_corpus(options.corpus, options.trust).prepare())
    return 0
