"""A trained model that turns audio into text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from speechgru.audio import AudioSource, inspect_audio, load_audio, resample_audio
from speechgru.decode.align import align_tokens
from speechgru.decode.greedy import GreedyDecoder
from speechgru.decode.spans import average_confidence, group_words
from speechgru.interfaces import (
    BLANK,
    Alternative,
    Decoder,
    InputError,
    Span,
    Tokenizer,
)
from speechgru.transcribe.recording import (
    NAMELESS,
    Recording,
    check_waveform,
    name_source,
)

WINDOW = 256
"""Sources that are sorted by length together: more would pad less, but keep
the first result waiting longer."""


@dataclass(frozen=True)
class Transcript:
    """What was said in one source.

    Attributes:
        source: the path as it was given; "-" for audio without a name.
        text: normalised as the training transcripts were.
        duration: s, of the audio.
        score: natural log-probability of the decoded path.
        confidence: geometric mean of the tokens' confidences, in [0, 1];
            None if no token was heard.
        tokens: in order of time.
        words: in order of time.
        alternatives: other texts, the best first, if the decoder was asked.
    """

    source: str
    text: str
    duration: float
    score: float
    confidence: float | None
    tokens: tuple[Span, ...]
    words: tuple[Span, ...]
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True)
class Failure:
    """A source that could not be transcribed.

    Attributes:
        source: as in `Transcript`.
        message: names the source, what was found, what expected and the remedy.
    """

    source: str
    message: str

    @classmethod
    def of(cls, source: AudioSource, error: Exception) -> "Failure":
        """Say why a source could not be transcribed."""
        name, message = name_source(source), str(error)
        return cls(name, message if name in message else f"{name}: {message}")


class Transcriber:
    """Transcribe audio of any rate and number of channels.

    Args:
        model: an AcousticModel; it is put into eval mode.
        tokenizer: of the model's tokens.
        decoder: log-probabilities to hypotheses.
        metadata: what is known of the model: corpus, recipe, score, ...
    """

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Tokenizer,
        decoder: Decoder,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.decoder = decoder
        self.metadata = dict(metadata or {})

    @classmethod
    def from_checkpoint(
        cls,
        path: str | Path,
        device: str | torch.device = "cpu",
        decoder: Decoder | None = None,
        trust: Sequence[str] = (),
    ) -> "Transcriber":
        """Load what `speechgru train` wrote; nothing else is needed.

        Args:
            path: of the checkpoint.
            device: where to run, e.g. "cpu" or "cuda".
            decoder: greedy if None.
            trust: modules of the user's own that the checkpoint may name.

        Raises:
            InputError: the file is no usable checkpoint, or there is no such
                device.
        """
        # Here, since a Transcriber around a model in memory needs none of it.
        from speechgru.model.checkpoint import load_checkpoint, to_device

        loaded = load_checkpoint(path, trust=trust)
        model = to_device(loaded.model, device)
        return cls(model, loaded.tokenizer, decoder or GreedyDecoder(), loaded.metadata)

    def transcribe(
        self, audio: AudioSource | Tensor, sample_rate: int | None = None
    ) -> Transcript:
        """Transcribe one recording.

        Args:
            audio: the path of a file, its content, or an open binary file; or
                a float waveform in [-1, 1], (samples,) or (channels, samples).
            sample_rate: Hz, of a waveform; a file knows its own.

        Raises:
            InputError: the audio cannot be read or is too short, or the sample
                rate is missing.
        """
        if isinstance(audio, Tensor):
            waveform = check_waveform(audio, sample_rate)
            waveform = resample_audio(waveform, sample_rate, self.model.sample_rate)
            self._check_length("waveform", waveform)
            return self._transcribe_batch([NAMELESS], [waveform])[0]
        recording = Recording.of(audio)
        if sample_rate is not None:
            raise InputError(
                f"{recording.name}: sample_rate={sample_rate} is given, expected only "
                "with a waveform; leave it out, the file says its own"
            )
        return self._transcribe_batch([recording.name], [self._load(recording)])[0]

    def align(self, audio: AudioSource, text: str) -> Transcript:
        """Find out when each token and word of a known text was said.

        Args:
            audio: the path of a file, its content, or an open binary file.
            text: what was said, all of it.

        Returns:
            The text as it is normalised, with times. Its score is its natural
            log-probability, over all paths; confidences are the mean
            probabilities of tokens, and of a word their geometric mean.

        Raises:
            InputError: the audio cannot be read or is too short for the text,
                or the tokens cannot spell it.
        """
        recording = Recording.of(audio)
        try:
            token_ids = self.tokenizer.encode(text)
        except InputError as error:
            found, _, _ = str(error).partition(";")
            raise InputError(
                f"the text {text[:60]!r}: {found}; spell it with the model's, e.g. "
                "numbers as words"
            ) from error
        if not token_ids:
            raise InputError(
                f"the text {text!r} holds nothing to align, expected words; give what "
                "was said"
            )
        waveform = self._load(recording)
        log_probs, output_lengths = self._score([waveform])
        log_probs = log_probs[0, : output_lengths[0]].cpu()
        try:
            tokens = align_tokens(
                log_probs, token_ids, self.tokenizer, self.model.seconds_per_frame
            )
        except InputError as error:
            raise InputError(f"{recording.name}: {error}") from error
        loss = torch.nn.functional.ctc_loss(
            log_probs,
            torch.tensor(token_ids),
            torch.tensor(len(log_probs)),
            torch.tensor(len(token_ids)),
            blank=BLANK,
            reduction="sum",
        )
        return Transcript(
            source=recording.name,
            text=self.tokenizer.decode(token_ids),
            duration=len(waveform) / self.model.sample_rate,
            score=-loss.item(),
            confidence=average_confidence(tokens),
            tokens=tuple(tokens),
            words=group_words(tokens),
        )

    def transcribe_many(
        self, sources: Sequence[AudioSource], batch_seconds: float = 60.0
    ) -> Iterator[Transcript | Failure]:
        """Transcribe recordings in batches of similar length.

        The result for a source does not depend on the others, and one that
        cannot be read does not stop them. Audio is decoded a batch at a time.

        Args:
            sources: paths, contents of files, or open binary files.
            batch_seconds: s, of audio in a batch, padding included; a longer
                recording goes alone.

        Returns:
            One result per source, in the order of the sources.

        Raises:
            InputError: batch_seconds is not positive.
        """
        if not batch_seconds > 0:
            raise InputError(
                f"batch_seconds is {batch_seconds}, expected more than 0 s"
            )
        return (
            result
            for first in range(0, len(sources), WINDOW)
            for result in self._transcribe_window(
                sources[first : first + WINDOW], batch_seconds
            )
        )

    def _transcribe_window(
        self, sources: Sequence[AudioSource], batch_seconds: float
    ) -> Iterator[Transcript | Failure]:
        recordings: dict[int, Recording] = {}
        durations: dict[int, float] = {}
        results: dict[int, Transcript | Failure] = {}
        for index, source in enumerate(sources):
            try:
                recordings[index] = Recording.of(source)
                durations[index] = inspect_audio(recordings[index].open()).duration
            except (InputError, OSError) as error:
                results[index] = Failure.of(source, error)
        num_yielded = 0
        for batch in [*plan_batches(durations, batch_seconds), []]:
            waveforms: dict[int, Tensor] = {}
            for index in batch:
                try:
                    waveforms[index] = self._load(recordings[index])
                except (InputError, OSError) as error:
                    results[index] = Failure.of(sources[index], error)
            names = [recordings[index].name for index in waveforms]
            transcripts = self._transcribe_batch(names, list(waveforms.values()))
            results.update(zip(waveforms, transcripts, strict=True))
            while num_yielded in results:
                yield results.pop(num_yielded)
                num_yielded += 1

    def _load(self, recording: "Recording") -> Tensor:
        waveform = load_audio(recording.open(), self.model.sample_rate, resample=True)
        self._check_length(recording.name, waveform)
        return waveform

    def _check_length(self, name: str, waveform: Tensor) -> None:
        length = torch.tensor([len(waveform)])
        if len(waveform) < 1 or self.model.output_lengths(length).item() < 1:
            raise InputError(
                f"{name}: {len(waveform)} samples at {self.model.sample_rate} Hz, "
                "expected enough for one output frame "
                f"({self.model.seconds_per_frame:.3g} s); record more"
            )

    def _transcribe_batch(
        self, names: list[str], waveforms: list[Tensor]
    ) -> list[Transcript]:
        if not waveforms:
            return []
        log_probs, output_lengths = self._score(waveforms)
        hypotheses = self.decoder(
            log_probs, output_lengths, self.tokenizer, self.model.seconds_per_frame
        )
        return [
            Transcript(
                source=name,
                text=hypothesis.text,
                duration=len(waveform) / self.model.sample_rate,
                score=hypothesis.score,
                confidence=average_confidence(hypothesis.tokens),
                tokens=hypothesis.tokens,
                words=hypothesis.words,
                alternatives=hypothesis.alternatives,
            )
            for name, waveform, hypothesis in zip(
                names, waveforms, hypotheses, strict=True
            )
        ]

    @torch.inference_mode()
    def _score(self, waveforms: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Run the model on a padded batch."""
        tensors = chain(self.model.parameters(), self.model.buffers())
        device = next((tensor.device for tensor in tensors), torch.device("cpu"))
        lengths = torch.tensor([len(waveform) for waveform in waveforms])
        padded = pad_sequence(waveforms, batch_first=True)
        return self.model(padded.to(device), lengths.to(device))


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
