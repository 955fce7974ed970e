"""Decoding and scoring utterances, on one process or several."""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import Manager
from pathlib import Path
from queue import Empty, Queue

import numpy as np

from speechgru.checkpoint.load import LoadedCheckpoint, load_checkpoint, to_device
from speechgru.data.processes import processes
from speechgru.data.utterances import durations_of, select
from speechgru.decode.pauses import break_at_pauses
from speechgru.decode.spans import average_confidence, warn_of_broken_bytes
from speechgru.evaluation.posteriors import score_utterances, unaugmented
from speechgru.factory import build_decoder
from speechgru.interfaces import Decoder, Hypothesis, InputError, Utterance
from speechgru.model.acoustic import AcousticModel
from speechgru.options.evaluation import EvaluateOptions
from speechgru.progress import Progress
from speechgru.score.results import Result, make_result
from speechgru.threads import set_up_cpu
from speechgru.transcribe.segments.cutting import LONGEST
from speechgru.transcribe.segments.hearing import Segmentation
from speechgru.transcribe.transcriber import Transcriber
from speechgru.transcribe.transcript import Transcript


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
    with Manager() as manager, processes(options.processes, "spawn") as pool:
        done: Queue[float] = manager.Queue()
        shares: list[Future[list[Result]]] = [
            pool.submit(_load_and_recognise, checkpoint, utterances, options, n, done)
            for n in range(options.processes)
        ]
        try:
            while wait(shares, timeout=1.0, return_when=FIRST_EXCEPTION).not_done:
                _advance(progress, done)
                for future in shares:
                    if future.done():
                        future.result()  # raises what has ended it: none waits for it
            for future in shares:
                yield future.result()
        except BrokenProcessPool as error:
            raise InputError(
                f"one of {options.processes} processes was killed, most often because "
                "memory ran out: each holds the model; set processes to fewer"
            ) from error


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
    whole = utterances
    if options.segment != "none":
        segmentation = Segmentation(options.segment)
        durations = durations_of(utterances)
        is_cut = np.array([segmentation.cuts(each) for each in durations], bool)
        cut = select(utterances, np.flatnonzero(is_cut)[share :: options.processes])
        for result in _recognise_pieces(loaded, decoder, cut, options):
            yield [result]
        if is_cut.all():
            return
        whole = select(utterances, np.flatnonzero(~is_cut))
    for batch in score_utterances(loaded, whole, options, share, options.processes):
        hypotheses = decoder(
            batch.log_probs,
            batch.lengths,
            loaded.tokenizer,
            loaded.model.seconds_per_frame,
        )
        results = []
        for index, reference, hypothesis in zip(
            batch.indices, batch.references, hypotheses, strict=True
        ):
            if whole[index].duration > LONGEST:
                hypothesis = break_at_pauses(hypothesis, loaded.tokenizer)
            warn_of_broken_bytes(whole[index].id, hypothesis.text)
            confidence = average_confidence(hypothesis.tokens)
            results.append(
                _describe(whole[index], reference, hypothesis, confidence, options)
            )
        yield results


def _recognise_pieces(
    loaded: LoadedCheckpoint[AcousticModel],
    decoder: Decoder,
    utterances: Sequence[Utterance],
    options: EvaluateOptions,
) -> Iterator[Result]:
    """Decode utterances as `speechgru transcribe` does, cut at silences."""
    model = to_device(loaded.model, options.device)
    transcriber = Transcriber(model, loaded.tokenizer, decoder, segment=options.segment)
    data = unaugmented(loaded, utterances, options)
    for utterance in utterances:
        example = data.load(utterance, epoch=0)
        heard = transcriber.transcribe(example.waveform, model.sample_rate)
        yield _describe(utterance, example.reference, heard, heard.confidence, options)


def _describe(
    utterance: Utterance,
    reference: str,
    heard: Hypothesis | Transcript,
    confidence: float | None,
    options: EvaluateOptions,
) -> Result:
    return make_result(
        utterance.id,
        reference,
        heard.text,
        options.score,
        speaker=utterance.speaker,
        duration=utterance.duration,
        audio_path=utterance.audio_path,
        offset=utterance.offset if utterance.partial else None,
        byte_range=utterance.byte_range,
        confidence=confidence,
        words=heard.words,
    )


def _minutes(results: Sequence[Result]) -> float:
    return math.fsum(result.duration or 0.0 for result in results) / 60
