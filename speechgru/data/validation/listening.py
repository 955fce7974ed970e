"""Decode many files at once, each once, and not again while it stays as it is."""

import hashlib
import multiprocessing
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from speechgru.audio import AudioError, inspect_audio
from speechgru.data.segments import SegmentReader
from speechgru.data.validation.diagnosis import Found
from speechgru.interfaces import InputError, Utterance
from speechgru.threads import num_processors

_CHUNK = 64
"""Utterances that a process decodes at once; more where they are of one file."""

_WORTH_IT = 512
"""Utterances from which on other processes are started."""

Placed = list[tuple[int, Utterance]]


@dataclass(frozen=True)
class Heard:
    """What the audio of an utterance is, whatever the model.

    Attributes:
        num_samples: at the file's own rate.
        sample_rate: Hz.
        num_channels: of the file.
        digest: of the samples, as hexadecimal digits; empty: all are zero.
    """

    num_samples: int
    sample_rate: int
    num_channels: int
    digest: str


def listen(chunk: Sequence[Utterance]) -> list[Heard | Found]:
    """Decode utterances; of one that cannot be, the kind and the message."""
    reader = SegmentReader()
    return [_listen(reader, utterance) for utterance in chunk]


def listen_to_all(
    utterances: Placed, reader: SegmentReader, num_processes: int | None = None
) -> Iterator[tuple[int, Utterance, Heard | Found]]:
    """Decode utterances in several processes, and hand them on in their order.

    Args:
        utterances: with their indices; those of one file together.
        reader: decodes a few in this process.
        num_processes: None: one for each core that this process may use.

    Raises:
        InputError: a process was killed.
    """
    if num_processes is None:
        num_processes = num_processors()
    if num_processes == 1 or len(utterances) < _WORTH_IT:
        for index, utterance in utterances:
            yield index, utterance, _listen(reader, utterance)
        return
    with _processes(num_processes) as pool:
        waiting: deque[tuple[Placed, Future]] = deque()
        for chunk in _cut(utterances):
            waiting.append((chunk, pool.submit(listen, [u for _, u in chunk])))
            if len(waiting) > 4 * num_processes:  # results do not pile up
                yield from _take(*waiting.popleft())
        while waiting:
            yield from _take(*waiting.popleft())


def _take(
    chunk: Placed, future: Future
) -> Iterator[tuple[int, Utterance, Heard | Found]]:
    try:
        results = future.result()
    except BrokenProcessPool as error:
        first = chunk[0][1]
        raise InputError(
            f"{first.audio_path}: a process that examined it, or one of the next "
            "files, was killed, most often because memory ran out; free some, or leave "
            "out very long files"
        ) from error
    for (index, utterance), heard in zip(chunk, results, strict=True):
        yield index, utterance, heard


def _listen(reader: SegmentReader, utterance: Utterance) -> Heard | Found:
    try:
        num_channels = inspect_audio(utterance.audio).num_channels
        waveform, rate = reader.read(utterance)
    except AudioError as error:
        return error.kind, str(error)
    samples = waveform.numpy()
    digest = hashlib.blake2b(samples, digest_size=16).hexdigest()
    return Heard(len(samples), rate, num_channels, digest if samples.any() else "")


def _cut(utterances: Placed) -> Iterator[Placed]:
    """Chunks; a file that many utterances are cut from stays in one."""
    chunk: Placed = []
    for index, utterance in utterances:
        if len(chunk) >= _CHUNK and utterance.audio != chunk[-1][1].audio:
            yield chunk
            chunk = []
        chunk.append((index, utterance))
    if chunk:
        yield chunk


@contextmanager
def _processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that end with the block, however it ends."""
    before = set(multiprocessing.active_children())
    # Forked: a process that imports torch anew takes longer than 1,000 files.
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(count, context, initializer=_begin)
    try:
        yield pool
    except BaseException:
        for process in set(multiprocessing.active_children()) - before:
            process.kill()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    """Leave Ctrl-C to the main process, and end at SIGTERM; take one core."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    torch.set_num_threads(1)
