"""The transcripts of all recordings that were named."""

from collections.abc import Callable, Iterator, Sequence

from speechgru.transcribe.inputs import Input
from speechgru.transcribe.transcriber import Transcriber
from speechgru.transcribe.transcript import Failure, Transcript


def transcribe_inputs(
    inputs: Sequence[Input],
    load: Callable[[], Transcriber],
    batch_seconds: float = 60.0,
) -> Iterator[Transcript | Failure]:
    """Transcribe inputs in batches of similar length.

    Args:
        inputs: of `list_inputs`; those that cannot be read stay failures.
        load: gives the transcriber; it is asked only if something can be read.
        batch_seconds: s, of audio in a batch; see `Transcriber.transcribe_many`.

    Returns:
        One result per input, in their order.
    """
    readable = [each.audio for each in inputs if not isinstance(each.source, Failure)]
    results: Iterator[Transcript | Failure] = iter(())
    if readable:
        results = load().transcribe_many(readable, batch_seconds)
    for each in inputs:
        yield each.source if isinstance(each.source, Failure) else next(results)
