"""`speechgru convert`: from one format of corpora to another."""

from collections.abc import Sequence

from speechgru.cli.config import read_command_line
from speechgru.files import printable
from speechgru.options import ConvertOptions

USAGE = """
usage: speechgru convert SOURCE TARGET [corpus=KIND] [output=PATH] [KEY=VALUE ...]
       speechgru convert TARGET corpus=NAME [output=FOLDER] [KEY=VALUE ...]

Write a source, or all splits of a corpus, as TARGET: manifest, lhotse (cuts), kaldi
(a data folder) or shards (tar files, see speechgru shard). SOURCE is a manifest, a
table, a folder or whatever else can be read; its kind is guessed and said unless
corpus=KIND says it.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(ConvertOptions, arguments, USAGE, (1, 2))
    *source, target = line.positional
    from speechgru.conversion import convert_source

    lines = convert_source(source[0] if source else None, target, line.options)
    print("\n".join(map(printable, lines)))
    return 0
