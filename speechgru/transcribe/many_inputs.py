"""The transcripts of all recordings that were named."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace

from speechgru.transcribe.inputs import Input
from speechgru.transcribe.transcript import Failure, Transcript
from speechgru.transcribe.workers import Load, transcribe_on_processes

TASK_FILES = 256
"""Taken at once: they are sorted by length together."""

TASK_BYTES = 1 << 25
"""Of files that are taken at once: what is in work when the program ends is lost."""

SHARE = 4
"""Tasks for each process at least, if there are so many files, so that all end
about together."""


def transcribe_inputs(
    inputs: Sequence[Input],
    load: Load,
    batch_seconds: float = 60.0,
    processes: int = 1,
) -> Iterator[Transcript | Failure]:
    """Transcribe inputs in batches of similar length.

    Args:
        inputs: of `find_inputs`; those that cannot be read stay failures.
        load: gives the transcriber; it is asked only if something can be read. For
            several processes it can be pickled.
        batch_seconds: s, of audio in a batch; see `Transcriber.transcribe_many`.
        processes: that work at once.

    Returns:
        One result per input, in their order, once the model is there.

    Raises:
        InputError: the transcriber cannot be loaded.
    """
    readable = [each for each in inputs if not isinstance(each.source, Failure)]
    tasks = divide(readable, processes)
    results: Iterator[Transcript | Failure] = iter(())
    if processes > 1 and len(tasks) > 1:
        results = transcribe_on_processes(tasks, load, processes, batch_seconds)
    elif readable:
        transcriber = load()
        results = (
            result
            for task in tasks
            for result in transcriber.transcribe_many(
                [each.audio for each in task], batch_seconds
            )
        )
    return _in_order(inputs, results)


def _in_order(
    inputs: Sequence[Input], results: Iterator[Transcript | Failure]
) -> Iterator[Transcript | Failure]:
    for each in inputs:
        result = each.source if isinstance(each.source, Failure) else next(results)
        if each.speaker is not None and isinstance(result, Transcript):
            result = replace(result, speaker=each.speaker)
        yield result


def divide(inputs: Sequence[Input], processes: int) -> list[list[Input]]:
    """Cut inputs into tasks, of many small files or of few large ones."""
    most = TASK_FILES
    if processes > 1:
        most = max(1, min(TASK_FILES, len(inputs) // (SHARE * processes)))
    tasks: list[list[Input]] = []
    filled = 0
    for each in inputs:
        size = _size(each)
        if not tasks or len(tasks[-1]) >= most or filled + size > TASK_BYTES:
            tasks.append([])
            filled = 0
        tasks[-1].append(each)
        filled += size
    return tasks


def _size(each: Input) -> int:
    if isinstance(each.source, bytes):
        return len(each.source)
    assert isinstance(each.source, str)
    try:
        return os.path.getsize(each.source)
    except (OSError, ValueError):
        return 0
