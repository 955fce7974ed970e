"""`speechgru new`: a project of one's own, from recordings with texts."""

from collections.abc import Sequence
from pathlib import Path

from speechgru.cli.config import read_command_line
from speechgru.files import printable
from speechgru.options import NewOptions

USAGE = """
usage: speechgru new FOLDER source=PATH [dev=PATH] [test=PATH] [KEY=VALUE ...]

Make a project: manifests that divide the recordings into train, dev and test (by
speakers, where three or more are known), a corpus, a recipe with sizes that suit them,
run.sh and README. PATH is a folder of recordings with their texts beside them, a table,
a manifest, a data folder of Kaldi, or what else can be read as a corpus. Recordings
stay where they are. FOLDER must be new.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(NewOptions, arguments, USAGE, (1, 1))
    from speechgru.project.make import make_project

    for said in make_project(Path(line.positional[0]), line.options):
        print(printable(said))
    return 0
