"""Long recordings, heard as a whole in memory that their length leaves alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from speechgru.audio import Resampling
from speechgru.interfaces import (
    Decoder,
    Hypothesis,
    InputError,
    StreamingDecoder,
    Tokenizer,
)
from speechgru.model.acoustic import AcousticModel
from speechgru.model.device import device_of
from speechgru.model.long import BLOCK, hears_long, needed_scratch, score_long
from speechgru.scratch import Scratch
from speechgru.transcribe.recording import Recording

LONG = 60.0
"""s; what is longer is read, scored and decoded block by block."""

DECODED = 16.0
"""s of audio that are decoded at a time."""


class LongScores:
    """Log-probabilities of a recording that come block by block.

    Args:
        model: see `hears_long`.
        recording: to be heard.
        scratch: for frames in between.
        block: output frames at a time.

    Attributes:
        num_samples: at the model's rate, that were heard so far.
    """

    def __init__(
        self,
        model: AcousticModel,
        recording: Recording,
        scratch: Scratch,
        block: int = BLOCK,
    ) -> None:
        self.num_samples = 0
        self._model = model
        self._recording = recording
        self._scratch = scratch
        self._block = block

    def blocks(self) -> Iterator[Tensor]:
        """(T, C) float32 each, natural logarithms. Raises InputError."""
        scores = score_long(self._model, self._waveforms(), self._scratch, self._block)
        for block in scores:
            refuse_nan(self._recording.name, block[0])
            yield block[0]

    def gather(self) -> Tensor:
        """All of them: (T, C), read from the disk when they are used."""
        rows = self._scratch.rows(self._model.head.out_features)
        for block in self.blocks():
            rows.append(block)
        return rows.mapped()

    def _waveforms(self) -> Iterator[Tensor]:
        """(1, S) each, at the model's rate."""
        resampling: Resampling | None = None
        for block, rate in self._recording.blocks(DECODED):
            resampling = resampling or Resampling(rate, self._model.sample_rate)
            yield from self._count(resampling.push(block[None]))
        if resampling is not None:
            yield from self._count(resampling.finish())

    def _count(self, waveform: Tensor | None) -> Iterator[Tensor]:
        if waveform is not None:
            self.num_samples += waveform.size(1)
            yield waveform


class LongHearing:
    """Which recordings are heard block by block, and how.

    Args:
        model: in eval mode.
    """

    def __init__(self, model: AcousticModel) -> None:
        self._model = model

    def takes(self, duration: float, batch_seconds: float = LONG) -> bool:
        """Whether a recording is heard block by block.

        Args:
            duration: s, of the recording.
            batch_seconds: s, of batches of those that are not.
        """
        return duration > max(LONG, batch_seconds) and hears_long(self._model)

    @contextmanager
    def score(self, recording: Recording, duration: float) -> Iterator[LongScores]:
        """The scores of a recording, while the context lasts.

        Args:
            recording: to be heard.
            duration: s, as it says of itself.

        Raises:
            InputError: there is no room for temporary files.
        """
        num_samples = round(duration * self._model.sample_rate)
        needed = needed_scratch(self._model, num_samples)
        with Scratch(recording.title, needed, device_of(self._model)) as scratch:
            yield LongScores(self._model, recording, scratch)


def decode_long(
    scores: LongScores,
    decoder: Decoder,
    tokenizer: Tokenizer,
    seconds_per_frame: float,
) -> Hypothesis:
    """What a recording says.

    A decoder that can hear it block by block holds what it needs; another is given
    all log-probabilities, on the disk.
    """
    if not isinstance(decoder, StreamingDecoder):
        log_probs = scores.gather()[None]
        lengths = torch.tensor([log_probs.size(1)])
        [hypothesis] = decoder(log_probs, lengths, tokenizer, seconds_per_frame)
        return hypothesis
    decoding = decoder.begin(tokenizer, seconds_per_frame)
    for block in scores.blocks():
        decoding = decoding.advance(block)
    return decoding.finish()


def refuse_nan(name: str, scores: Tensor) -> None:
    """Raise InputError if (T, C) log-probabilities hold NaN."""
    if scores.isnan().any():
        raise InputError(
            f"{name}: the model finds NaN in it, expected probabilities; check "
            "that its samples lie in [-1, 1], and the checkpoint's weights"
        )
