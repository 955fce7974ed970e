"""Decoding and scoring utterances, on one process or several."""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from multiprocessing import Manager, get_context
from pathlib import Path
from queue import Empty, Queue

from speechgru.checkpoint.load import LoadedCheckpoint, load_checkpoint
from speechgru.data.utterances import durations_of
from speechgru.decode.spans import average_confidence, warn_of_broken_bytes
from speechgru.evaluation.posteriors import score_utterances
from speechgru.factory import build_decoder
from speechgru.interfaces import Decoder, Utterance
from speechgru.model.acoustic import AcousticModel
from speechgru.options.evaluation import EvaluateOptions
from speechgru.progress import Progress
from speechgru.score.results import Result, make_result
from speechgru.threads import set_up_cpu


def recognise(
    checkpoint: Path,
    loaded: LoadedCheckpoint[AcousticModel],
    decoder: Decoder,
    utterances: Sequence[Utterance],
    options: EvaluateOptions,
) -> list[Result]:
    """Decode and score utterances, on the processes asked for.

    Args:
        checkpoint: further processes load it for themselves.
        loaded: the same, for this process.
        decoder: of this process.
        utterances: to be scored.
        options: of the evaluation.

    Returns:
        Results in the order of the utterances.
    """
    minutes = float(durations_of(utterances).sum()) / 60
    found: list[Result] = []
    with Progress("evaluate", minutes, "min of audio") as progress:
        if options.processes == 1:
            set_up_cpu(options.num_threads)
            for batch in _recognise_share(loaded, decoder, utterances, options, 0):
                found += batch
                progress.advance(_minutes(batch))
        else:
            for batch in _on_processes(checkpoint, utterances, options, progress):
                found += batch
    by_id = {result.id: result for result in found}
    return [by_id[utterance.id] for utterance in utterances]


def _on_processes(
    checkpoint: Path,
    utterances: Sequence[Utterance],
    options: EvaluateOptions,
    progress: Progress,
) -> Iterator[list[Result]]:
    """The results of each process, which loads the checkpoint for itself."""
    context = get_context("spawn")
    with (
        Manager() as manager,
        ProcessPoolExecutor(options.processes, context) as pool,
    ):
        done: Queue[float] = manager.Queue()
        shares: list[Future[list[Result]]] = [
            pool.submit(_load_and_recognise, checkpoint, utterances, options, n, done)
            for n in range(options.processes)
        ]
        while wait(shares, timeout=1.0).not_done:
            _advance(progress, done)
        for future in shares:
            yield future.result()


def _advance(progress: Progress, done: "Queue[float]") -> None:
    """Count the minutes that other processes have said they have done."""
    try:
        while True:
            progress.advance(done.get_nowait())
    except Empty:
        return


def _load_and_recognise(
    checkpoint: Path,
    utterances: Sequence[Utterance],
    options: EvaluateOptions,
    share: int,
    done: "Queue[float]",
) -> list[Result]:
    """Decode and score a share of the utterances, in a process of its own."""
    set_up_cpu(options.num_threads)
    loaded = load_checkpoint(checkpoint, options.trust)
    decoder = build_decoder(options, loaded, warn=False)
    results = []
    for batch in _recognise_share(loaded, decoder, utterances, options, share):
        results += batch
        done.put(_minutes(batch))
    return results


def _recognise_share(
    loaded: LoadedCheckpoint[AcousticModel],
    decoder: Decoder,
    utterances: Sequence[Utterance],
    options: EvaluateOptions,
    share: int,
) -> Iterator[list[Result]]:
    """Decode and score a share of the utterances, batch by batch."""
    for batch in score_utterances(
        loaded, utterances, options, share, options.processes
    ):
        hypotheses = decoder(
            batch.log_probs,
            batch.lengths,
            loaded.tokenizer,
            loaded.model.seconds_per_frame,
        )
        for index, hypothesis in zip(batch.indices, hypotheses, strict=True):
            warn_of_broken_bytes(utterances[index].id, hypothesis.text)
        yield [
            make_result(
                utterances[index].id,
                reference,
                hypothesis.text,
                options.score,
                speaker=utterances[index].speaker,
                duration=utterances[index].duration,
                audio_path=utterances[index].audio_path,
                offset=utterances[index].offset if utterances[index].partial else None,
                byte_range=utterances[index].byte_range,
                confidence=average_confidence(hypothesis.tokens),
                words=hypothesis.words,
            )
            for index, reference, hypothesis in zip(
                batch.indices, batch.references, hypotheses, strict=True
            )
        ]


def _minutes(results: Sequence[Result]) -> float:
    return math.fsum(result.duration or 0.0 for result in results) / 60
