"""`speechgru shard`: a corpus to tar files that are read in their order."""

from collections.abc import Sequence

from speechgru.cli.config import read_command_line
from speechgru.options import ShardOptions

USAGE = """
usage: speechgru shard corpus=NAME [output=FOLDER] [KEY=VALUE ...]

Write every split of a prepared corpus to tar files of about shards.size MB, in the
layout of WebDataset, with a manifest of each split beside them. Ended in between and
started again, it goes on. Train from them by corpus=shards corpus.folder=FOLDER.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = read_command_line(ShardOptions, arguments, USAGE, (0, 0)).options
    from speechgru.conversion import shard
    from speechgru.factory import build_corpus, name_corpus

    corpus = build_corpus(options.corpus, options.trust)
    by_name = options.data_dir / "shards" / name_corpus(options.corpus)
    report = shard(
        {split: corpus.read(split) for split in options.splits or corpus.splits},
        options.output or by_name,
        options.shards,
        options.on_error == "skip",
        options.processes,
    )
    print(report)
    return 0
