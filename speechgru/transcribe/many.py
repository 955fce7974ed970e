"""Many recordings in batches, none of which can spoil another's text."""

import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from torch import Tensor

from speechgru.interfaces import InputError
from speechgru.transcribe.recording import Recording, Source, is_waveform, name_source
from speechgru.transcribe.transcript import Failure, Transcript

log = logging.getLogger(__name__)

Hear = Callable[[list[str], list[Tensor]], list[Transcript]]


def transcribe_window(
    sources: Sequence[Source],
    sample_rate: int | None,
    batch_seconds: float,
    measure: Callable[[Recording], float],
    load: Callable[[Recording], Tensor],
    hear: Hear,
    cuts: Callable[[float], bool],
    hear_pieces: Callable[[Recording], Transcript],
) -> Iterator[Transcript | Failure]:
    """Transcribe some sources, sorted by length into batches.

    Whatever goes wrong with one, and be it that there is no memory, becomes its
    failure; the members of a batch that fails are then tried one by one.

    Args:
        sources: of any kind.
        sample_rate: Hz, of waveforms among them.
        batch_seconds: s, of audio in a batch, padding included.
        measure: gives the duration of a recording, s; may raise.
        load: gives its waveform; may raise.
        hear: transcribes waveforms, given with their names; may raise.
        cuts: whether a recording of so many s is heard by itself, part by part.
        hear_pieces: transcribes such a one; may raise.

    Returns:
        One result per source, in their order.
    """
    recordings: dict[int, Recording] = {}
    durations: dict[int, float] = {}
    results: dict[int, Transcript | Failure] = {}
    for index, source in enumerate(sources):
        rate = sample_rate if is_waveform(source) else None
        try:
            recordings[index] = Recording.of(source, rate)
            durations[index] = measure(recordings[index])
        except Exception as error:
            results[index] = _fail(name_source(source), error)
    num_yielded = 0
    for batch in [*plan_batches(durations, batch_seconds), []]:
        waveforms: dict[int, Tensor] = {}
        for index in batch:
            try:
                if cuts(durations[index]):
                    results[index] = hear_pieces(recordings[index])
                else:
                    waveforms[index] = load(recordings[index])
            except Exception as error:
                results[index] = _fail(recordings[index].name, error)
        names = [recordings[index].name for index in waveforms]
        heard = _hear_all(names, list(waveforms.values()), hear)
        results.update(zip(waveforms, heard, strict=True))
        while num_yielded in results:
            result = results.pop(num_yielded)
            if isinstance(result, Transcript):
                result = recordings[num_yielded].place(result)
            yield result
            num_yielded += 1


def _hear_all(
    names: list[str], waveforms: list[Tensor], hear: Hear
) -> list[Transcript | Failure]:
    """Transcribe a batch; if it fails, each of its members alone."""
    if not waveforms:
        return []
    try:
        return list(hear(names, waveforms))
    except Exception as error:
        if len(waveforms) == 1:
            return [_fail(names[0], error)]
        log.debug("a batch of %d failed", len(waveforms), exc_info=True)
    # Not inside the clause, which keeps alive all that the batch has taken.
    alone = (
        _hear_all([name], [waveform], hear)
        for name, waveform in zip(names, waveforms, strict=True)
    )
    return list(chain.from_iterable(alone))


def _fail(name: str, error: Exception) -> Failure:
    if not isinstance(error, (InputError, OSError)):
        log.debug("%s", name, exc_info=error)
    return Failure.of(name, error)


def plan_batches(durations: dict[int, float], batch_seconds: float) -> list[list[int]]:
    """Group keys, longest first, so that padded batches stay within a size.

    Args:
        durations: s, by key.
        batch_seconds: s; number of keys times the longest duration of a batch,
            unless a single one is longer.
    """
    batches: list[list[int]] = []
    for key in sorted(durations, key=durations.__getitem__, reverse=True):
        if batches:
            longest = durations[batches[-1][0]]
            if (len(batches[-1]) + 1) * longest <= batch_seconds:
                batches[-1].append(key)
                continue
        batches.append([key])
    return batches
