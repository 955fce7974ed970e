"""A recording that is heard piece by piece."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor

from speechgru.audio import Resampling
from speechgru.blocks import run_through
from speechgru.interfaces import InputError
from speechgru.threads import give_back_memory
from speechgru.transcribe.many import Hear, plan_batches
from speechgru.transcribe.recording import Recording
from speechgru.transcribe.segments.cutting import LONGEST, Cutting, Piece
from speechgru.transcribe.segments.joining import join_pieces
from speechgru.transcribe.segments.voice_activity import SAMPLE_RATE, find_activity
from speechgru.transcribe.transcript import Transcript

MODES = ("auto", "none", "vad")

BLOCK = 16.0
"""s, decoded at a time."""

HELD = 300.0
"""s of speech that are sorted into batches together."""

BATCH = 30.0
"""s of audio in a batch at most: larger ones are no faster, and take more memory."""

TRIM_EVERY = 4
"""Batches, each of another size; see `give_back_memory`, which takes some 25 ms."""


class Segmentation:
    """Which recordings are cut at silences, and where.

    Args:
        mode: "auto" cuts those of more than 30 s, "vad" all, "none" none.
        cutting: what is a silence to cut at.

    Raises:
        InputError: an unknown mode.
    """

    def __init__(self, mode: str = "auto", cutting: Cutting | None = None) -> None:
        if mode not in MODES:
            raise InputError(f"segment is {mode!r}, expected {', '.join(MODES)}")
        self.mode = mode
        self.cutting = cutting or Cutting()

    def cuts(self, duration: float) -> bool:
        """Whether a recording of so many s is cut."""
        return self.mode == "vad" or (self.mode == "auto" and duration > LONGEST)

    def transcribe(
        self,
        recording: Recording,
        batch_seconds: float,
        load: Callable[[Recording], Tensor],
        hear: Hear,
    ) -> Transcript:
        """Transcribe the speech of a recording, in memory that its length leaves alone.

        It is decoded twice, since where to cut shows only behind a cut.

        Args:
            recording: to be cut.
            batch_seconds: s, of audio in a batch, padding included.
            load: gives the waveform of a piece, itself a recording; may raise.
            hear: transcribes waveforms, given with their names; may raise.

        Raises:
            InputError: it cannot be read or heard.
        """
        duration, pieces = self._find_pieces(recording)
        heard: list[Transcript] = []
        for group in _group(excerpts(recording, pieces)):
            found: dict[int, Transcript] = {}
            durations = {index: _duration(each) for index, each in enumerate(group)}
            batches = plan_batches(durations, min(batch_seconds, BATCH))
            for number, batch in enumerate(batches, 1):
                waveforms = [load(group[index]) for index in batch]
                names = [recording.name] * len(batch)
                found.update(zip(batch, hear(names, waveforms), strict=True))
                if number % TRIM_EVERY == 0:
                    give_back_memory()
            heard += [found[index] for index in range(len(group))]
        return join_pieces(recording.name, duration, pieces, heard)

    def _find_pieces(self, recording: Recording) -> tuple[float, list[Piece]]:
        """How long a recording is, in s, and where it is cut."""
        rate = recording.inspect().sample_rate
        num_samples = 0

        def decoded() -> Iterator[Tensor]:
            nonlocal num_samples
            for block, _ in recording.blocks(BLOCK):
                num_samples += len(block)
                yield block[None]

        resampled = run_through(Resampling(rate, SAMPLE_RATE), decoded())
        activity = find_activity(block[0] for block in resampled)
        duration = num_samples / rate
        return duration, self.cutting.cut(activity, duration)


def excerpts(recording: Recording, pieces: Sequence[Piece]) -> Iterator[Recording]:
    """The pieces of a recording, in order, each a recording."""
    blocks = recording.blocks(BLOCK)
    held, first = torch.empty(0), 0  # samples, and where in the recording they begin
    rate = 0
    for piece in pieces:
        ended = False
        while not ended and (not rate or first + len(held) < round(piece.end * rate)):
            try:
                block, rate = next(blocks)
            except StopIteration:
                ended = True
                continue
            # What lies in front of the piece is not needed any more.
            dropped = min(len(held), max(0, round(piece.start * rate) - first))
            held, first = torch.cat([held[dropped:], block]), first + dropped
        start, stop = round(piece.start * rate) - first, round(piece.end * rate) - first
        yield Recording(recording.name, held[start:stop].clone(), rate)


def _group(excerpts: Iterable[Recording]) -> Iterator[list[Recording]]:
    """Take so many together that batches are well filled."""
    group: list[Recording] = []
    seconds = 0.0
    for excerpt in excerpts:
        group.append(excerpt)
        seconds += _duration(excerpt)
        if seconds >= HELD:
            yield group
            group, seconds = [], 0.0
    if group:
        yield group


def _duration(excerpt: Recording) -> float:
    return excerpt.inspect().duration
