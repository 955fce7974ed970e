"""Which utterances lie in which shard, in which order."""

import hashlib
import math
from collections.abc import Iterator, Sequence

import numpy as np

from speechgru.data.segments import MPEG, SegmentReader
from speechgru.data.shards.encoding import Encoding
from speechgru.interfaces import InputError, Utterance

OVERHEAD = 2048
"""Bytes that an utterance takes in a tar file beside its sound: two headers, its
description, and what fills up blocks of 512."""

_NUM_SAMPLED = 16
_MOST_SAMPLED = 600.0  # s, of one of them


def order(utterances: Sequence[Utterance], shuffled: bool) -> np.ndarray:
    """Put utterances in the order in which they are stored.

    Shuffled, every shard is a sample of the whole corpus: its speakers and chapters
    are mixed, and whoever reads shard after shard need not mix them. The order
    depends on nothing but the ids. Parts of one file that must be decoded up to each
    of them (MP3) stay together, so that it is decoded once.

    Returns:
        (N,) int64 indices of the utterances.
    """
    if not shuffled:
        return np.arange(len(utterances))
    places = np.fromiter(
        (_draw(utterance) for utterance in utterances), np.uint64, len(utterances)
    )
    return np.argsort(places, kind="stable")


def _draw(utterance: Utterance) -> int:
    path = utterance.audio_path
    name = utterance.id
    if utterance.partial and path.suffix.lower() in MPEG:
        name = f"{path.name}\0"
    raw = name.encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "big")


def bytes_per_second(
    utterances: Sequence[Utterance], indices: np.ndarray, encoding: Encoding
) -> float:
    """Estimate how much a second of a corpus takes, from a few of its utterances.

    Args:
        utterances: of the corpus.
        indices: of them; some, evenly apart, are encoded.
        encoding: of the shards.
    """
    reader, size, seconds = SegmentReader(), 0, 0.0
    for index in indices[:: max(1, len(indices) // _NUM_SAMPLED)][:_NUM_SAMPLED]:
        utterance = utterances[int(index)]
        if utterance.duration > _MOST_SAMPLED:
            continue
        try:
            waveform, rate = reader.read(utterance)
            encoded = encoding.encode(waveform, rate, utterance.id)
        except InputError:
            continue  # it is named when its shard is written
        size += len(encoded.content)
        seconds += encoded.num_samples / encoded.sample_rate
    return size / seconds if seconds else 32_000.0


def cut(
    utterances: Sequence[Utterance],
    indices: np.ndarray,
    rate: float,
    most: float,
) -> Iterator[np.ndarray]:
    """Cut an order into shards of about the same size.

    Args:
        utterances: of the corpus.
        indices: (N,) int64, in order.
        rate: bytes that a second takes.
        most: bytes of a shard, at most, as far as they can be told beforehand.

    Yields:
        Indices of the utterances of each shard.
    """
    durations = np.fromiter(
        (utterance.duration for utterance in utterances), np.float64, len(utterances)
    )
    sizes = durations[indices] * rate + OVERHEAD
    ends = np.cumsum(sizes)
    count = math.ceil(ends[-1] / most)
    # By the middle of each: the last ends exactly with the last shard.
    shard = ((ends - sizes / 2) * (count / ends[-1])).astype(np.int64)
    for number in range(count):
        part = indices[
            np.searchsorted(shard, number) : np.searchsorted(shard, number + 1)
        ]
        if len(part):
            yield part
