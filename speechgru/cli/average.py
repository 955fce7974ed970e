"""`speechgru average`: one checkpoint from the weights of several."""

import sys
from collections.abc import Sequence

from speechgru.checkpoint.chosen import choose_checkpoint
from speechgru.cli.config import read_command_line
from speechgru.files import printable
from speechgru.interfaces import InputError
from speechgru.options import AverageOptions

USAGE = """
usage: speechgru average CHECKPOINT CHECKPOINT ... [output=PATH]

Write a checkpoint whose weights are the mean of the others'. They should be of
one run: train with callbacks.keep_every=N to keep that of every Nth epoch.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(AverageOptions, arguments, USAGE, (2, sys.maxsize))
    from speechgru.checkpoint.average import average_checkpoints
    from speechgru.checkpoint.storage import write_checkpoint

    paths = [choose_checkpoint(name) for name in line.positional]
    if len({path.resolve() for path in paths}) < len(paths):
        raise InputError("a checkpoint is given twice, expected different ones")
    output = line.options.output or paths[0].with_name("average.ckpt")
    if output.exists():
        raise InputError(f"{output}: exists, expected a new file; choose another name")
    write_checkpoint(average_checkpoints(paths), output)
    print(f"checkpoint: {printable(str(output))}")
    return 0
