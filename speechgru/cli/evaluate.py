"""`speechgru evaluate`: the error rate of a checkpoint on a corpus."""

from collections.abc import Sequence
from pathlib import Path

from speechgru.cli.config import read_command_line
from speechgru.files import printable
from speechgru.options import EvaluateOptions

USAGE = """
usage: speechgru evaluate CHECKPOINT corpus=NAME [split=NAME] [KEY=VALUE ...]

Score a checkpoint on a split. Prints word, character and sentence error rates
with their 95 % bootstrap intervals, by speaker and by length; writes one line
of JSON per utterance to output, and a summary beside it.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(EvaluateOptions, arguments, USAGE, (1, 1))
    from speechgru.evaluation.evaluate import evaluate
    from speechgru.evaluation.outputs import check_output, default_output

    checkpoint = Path(line.positional[0])
    output = line.options.output or default_output(checkpoint, line.options)
    check_output(output)  # before the work, not after it
    evaluation = evaluate(checkpoint, line.options)
    try:
        # Before anything is printed, which a closed pipe might prevent.
        results, *others = evaluation.save(output)
    finally:
        # And also where a full disk prevents the writing.
        print(evaluation.table())
    print(f"results: {printable(str(results))}")
    if others:
        print(f"for NIST's tools: {printable(' '.join(map(str, others)))}")
    return 0
