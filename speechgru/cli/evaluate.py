"""`speechgru evaluate`: the error rate of a checkpoint on a corpus."""

from collections.abc import Sequence

from speechgru.cli.run_line import read_run_line
from speechgru.files import printable
from speechgru.options import EvaluateOptions

USAGE = """
usage: speechgru evaluate RUN_FOLDER [split=NAME] [KEY=VALUE ...]
       speechgru evaluate CHECKPOINT corpus=NAME [split=NAME] [KEY=VALUE ...]

Score a checkpoint on a split. Prints word, character and sentence error rates
with their 95 % bootstrap intervals, by speaker and by length; writes one line
of JSON per utterance to output, and a summary beside it.

Of a run its best checkpoint is scored, on its own corpus; split=dev is what it was
validated on. Where the corpus has moved: data_dir=FOLDER or corpus.OPTION=PATH.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line, changes = read_run_line(EvaluateOptions, arguments, USAGE, (1, 1))
    from speechgru.evaluation.evaluate import ask_to_score, score
    from speechgru.evaluation.outputs import check_output, default_output

    asked = ask_to_score(line.positional[0], line.options, changes)
    output = asked.options.output or default_output(asked.checkpoint, asked.options)
    check_output(output)  # before the work, not after it
    evaluation = score(asked)
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
