"""`speechgru train`: begin runs, or go on with one."""

import sys
import time
from collections.abc import Sequence

from speechgru.cli.help import explain
from speechgru.process_memory import ask_for_huge_pages
from speechgru.training.interruption import Interrupted, Interruption

USAGE = """
usage: speechgru train [recipe=NAME] [GROUP=CHOICE ...] [KEY=VALUE ...]
       speechgru train ... -m KEY=A,B,C           train once for each combination
       speechgru train ... init_from=CHECKPOINT   fine-tune
       speechgru train resume=RUN_FOLDER          go on after an interruption; of
                                                  modules of your own, say so again:
                                                  'trust=[MODULE]'
       speechgru train resume=RUN_FOLDER trainer.max_epochs=N
                                                  or trainer.max_time=2h, trainer=cpu:
                                                  for longer, or on another machine

Train a model. A run folder below runs_dir keeps its configuration, log,
metrics, best.ckpt and last.ckpt.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    if {"--help", "-h"} & set(arguments):
        print(explain("train", USAGE, arguments))
        return 0
    began_at = time.monotonic()  # the imports take seconds
    ask_for_huge_pages()
    with Interruption() as interruption:
        try:
            if any(argument.startswith("resume=") for argument in arguments):
                from speechgru.cli.resume import go_on

                return go_on(arguments, began_at)
            from speechgru.cli.program import begin

            return begin(arguments, interruption, began_at)
        except Interrupted as error:
            if interruption.number is not None:
                print(f"speechgru train: {error}: nothing was done", file=sys.stderr)
            return error.status
