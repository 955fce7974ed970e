"""`speechgru transcribe`: audio files to text."""

import sys
from collections.abc import Sequence

from speechgru.checkpoint.chosen import choose_checkpoint
from speechgru.cli.config import read_command_line
from speechgru.cli.stop import Stopped, stoppable
from speechgru.options import TranscribeOptions

USAGE = """
usage: speechgru transcribe CHECKPOINT AUDIO... [KEY=VALUE ...]

Transcribe files, folders (every recording below), globs, manifests (.jsonl), lists
with a name on each line (@list.txt, or @- for standard input), or - for audio from
standard input, at any sample rate. Texts go to standard output in the order given, or
to output=; what cannot be transcribed is named on standard error, and the exit code is
then 1. Started again with the same output=, it does what is not done.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(TranscribeOptions, arguments, USAGE, (2, sys.maxsize))
    from speechgru.transcribe.job import Job

    checkpoint, *names = line.positional
    checkpoint = str(choose_checkpoint(checkpoint))
    job = Job(checkpoint, line.options)
    try:
        with stoppable():
            job.run(names)
    except Stopped as stopped:
        print(f"speechgru transcribe: {job.describe_stop()}", file=sys.stderr)
        return stopped.status
    for summary in job.summaries():
        print(f"speechgru transcribe: {summary}", file=sys.stderr)
    return 1 if job.failures else 0
