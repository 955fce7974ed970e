"""Decode many files at once, each once, and not again while it stays as it is."""

import hashlib
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass

from speechgru.audio import AudioError
from speechgru.data.processes import processes
from speechgru.data.segments import MPEG, SegmentReader
from speechgru.data.validation.cache import ExaminedAudio
from speechgru.data.validation.heard import Heard
from speechgru.data.validation.measures import measure
from speechgru.data.validation.problem import Found
from speechgru.interfaces import InputError, Utterance
from speechgru.threads import num_processors

_CHUNK = 64
"""Utterances that a process decodes at once; more where an MP3 is cut into more."""

_CHUNK_SECONDS = 600.0
"""s of audio from which on a chunk is large enough: so much is lost by a kill."""

_WORTH_IT = 512
"""Utterances from which on other processes are started."""

Placed = tuple[int, Utterance]
"""An utterance behind its index."""

Result = tuple[int, Utterance, Heard | Found]


def listen(chunk: Sequence[Utterance]) -> list[Heard | Found]:
    """Decode utterances; of one that cannot be, the kind and the message."""
    reader = SegmentReader()
    return [_listen(reader, utterance) for utterance in chunk]


def listen_to_all(
    utterances: Iterable[Placed],
    total: int,
    known: ExaminedAudio,
    reader: SegmentReader,
    num_processes: int | None = None,
) -> Iterator[Result]:
    """Decode what is not known yet, and hand everything on in its order.

    Args:
        utterances: those of one file together.
        total: how many there are.
        known: finds what was decoded before, and keeps what is decoded now.
        reader: decodes a few in this process.
        num_processes: None: one for each core that this process may use.

    Raises:
        InputError: a process was killed.
    """
    if num_processes is None:
        num_processes = num_processors()
    if total < _WORTH_IT:
        num_processes = 1
    pool: ProcessPoolExecutor | None = None
    waiting: deque[_Chunk] = deque()
    with ExitStack() as stack:
        for placed in _cut(utterances):
            found = [known.find(utterance) for _, utterance in placed]
            pairs = zip(placed, found, strict=True)
            unknown = [utterance for (_, utterance), heard in pairs if heard is None]
            future = None
            if unknown and num_processes > 1:
                pool = pool or stack.enter_context(processes(num_processes))
                future = pool.submit(listen, unknown)
            waiting.append(_Chunk(placed, found, unknown, future))
            if len(waiting) > 4 * num_processes:  # results do not pile up
                yield from waiting.popleft().take(known, reader)
        while waiting:
            yield from waiting.popleft().take(known, reader)


@dataclass(frozen=True)
class _Chunk:
    """Some utterances, what was known of them, and what is still being decoded."""

    placed: list[Placed]
    found: list[Heard | None]
    unknown: list[Utterance]
    future: Future | None

    def take(self, known: ExaminedAudio, reader: SegmentReader) -> Iterator[Result]:
        fresh: Iterator[Heard | Found] = (
            (_listen(reader, utterance) for utterance in self.unknown)
            if self.future is None
            else iter(self._wait(self.future))
        )
        for (index, utterance), heard in zip(self.placed, self.found, strict=True):
            if heard is not None:
                yield index, utterance, heard
                continue
            result = next(fresh)
            if isinstance(result, Heard):
                known.keep(utterance, result)
            yield index, utterance, result

    def _wait(self, future: Future) -> list[Heard | Found]:
        try:
            return future.result()
        except BrokenProcessPool as error:
            raise InputError(
                f"{self.unknown[0].audio_path}: a process that examined it, or one of "
                "the next files, was killed, most often because memory ran out; free "
                "some, or leave out very long files"
            ) from error


def _listen(reader: SegmentReader, utterance: Utterance) -> Heard | Found:
    begun = time.thread_time()
    try:
        num_channels = reader.count_channels(utterance)
        waveform, rate = reader.read(utterance)
    except AudioError as error:
        return error.kind, str(error)
    seconds = time.thread_time() - begun
    samples = waveform.numpy()
    digest = b""
    if samples.any():
        digest = hashlib.blake2b(samples, digest_size=16).digest()
    return Heard(
        num_samples=len(samples),
        sample_rate=rate,
        num_channels=num_channels,
        digest=digest,
        seconds=seconds,
        **measure(samples, rate),
    )


def _cut(utterances: Iterable[Placed]) -> Iterator[list[Placed]]:
    """Chunks; a file that must be decoded from its start stays in one."""
    chunk: list[Placed] = []
    seconds = 0.0
    for index, utterance in utterances:
        is_large = len(chunk) >= _CHUNK or seconds >= _CHUNK_SECONDS
        if is_large and not _go_together(chunk[-1][1], utterance):
            yield chunk
            chunk, seconds = [], 0.0
        chunk.append((index, utterance))
        seconds += utterance.duration
    if chunk:
        yield chunk


def _go_together(first: Utterance, second: Utterance) -> bool:
    if first.audio_path != second.audio_path or first.audio != second.audio:
        return False
    # What a byte range holds has no ending to tell by.
    is_coded = second.audio_path.suffix.lower() in MPEG
    return is_coded or second.byte_range is not None
