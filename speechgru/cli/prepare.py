"""`speechgru prepare`: from an archive to manifests."""

from collections.abc import Sequence

from speechgru.cli.config import read_command_line
from speechgru.cli.stop import Stopped, stoppable
from speechgru.options import PrepareOptions
from speechgru.progress import say_line

USAGE = """
usage: speechgru prepare corpus=NAME [KEY=VALUE ...]

Take the corpus from corpus.archive, from the folder SPEECHGRU_ARCHIVES or from
the network, check it, and write its manifests below data_dir. Stopped by Ctrl-C or a
full disk, it goes on from there the next time. Data of your own (corpus=csv, ...)
stay where they are: they are read, and counted.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = read_command_line(PrepareOptions, arguments, USAGE, (0, 0)).options
    from speechgru.factory import build_corpus

    try:
        # Also by SIGTERM, as at the end of a cluster's job, what is unpacked is kept.
        with stoppable():
            report = build_corpus(options.corpus, options.trust).prepare()
    except Stopped as stopped:
        say_line(f"{stopped}: stopped; prepare again to go on from here")
        return stopped.status
    print(report)
    return 0
