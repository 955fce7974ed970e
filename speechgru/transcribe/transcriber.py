"""A trained model that turns audio into text."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from speechgru.decode.align import align_text
from speechgru.decode.greedy import GreedyDecoder
from speechgru.decode.pauses import break_at_pauses
from speechgru.interfaces import Decoder, Hypothesis, InputError, Tokenizer
from speechgru.model.acoustic import AcousticModel
from speechgru.transcribe.aligning import encode_text
from speechgru.transcribe.batch_scoring import BatchScoring
from speechgru.transcribe.long import LongHearing, decode_long
from speechgru.transcribe.many import transcribe_window
from speechgru.transcribe.memory import MemoryLimit
from speechgru.transcribe.online.endpoints import Endpoints
from speechgru.transcribe.online.recognizer import OnlineRecognizer
from speechgru.transcribe.online.result import StreamResult
from speechgru.transcribe.recording import Recording, Source, check_several
from speechgru.transcribe.segments.cutting import LONGEST
from speechgru.transcribe.segments.hearing import Segmentation
from speechgru.transcribe.transcript import Failure, Transcript
from speechgru.transcribe.waveform import Waveform

WINDOW = 256
"""Sources that are sorted by length together: more would pad less, but keep
the first result waiting longer."""


class Transcriber:
    """Transcribe audio of any rate and number of channels.

    Args:
        model: an AcousticModel; it is put into eval mode.
        tokenizer: of the model's tokens.
        decoder: log-probabilities to hypotheses.
        metadata: what is known of the model: corpus, recipe, score, ...
        max_memory: GB that a batch, or a recording that is heard whole, may take;
            None: what is free. A longer one is an error before it is loaded. Whole is
            heard what lasts up to 60 s, and all where a module of the user's own
            cannot go through a recording block by block; see `model/long.py`.
        segment: "auto": recordings of more than 30 s are cut at silences, and each
            piece is heard by itself; "vad": all are; "none": none is cut.

    It may be used from several threads at once.
    """

    def __init__(
        self,
        model: AcousticModel,
        tokenizer: Tokenizer,
        decoder: Decoder,
        metadata: dict[str, Any] | None = None,
        max_memory: float | None = None,
        segment: str = "auto",
    ) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.decoder = decoder
        self.metadata = dict(metadata or {})
        self._batches = BatchScoring(self.model)
        self._memory = MemoryLimit(self.model, max_memory)
        self._long = LongHearing(self.model)
        self._segmentation = Segmentation(segment)

    @classmethod
    def from_checkpoint(
        cls,
        path: str | Path,
        device: str | torch.device = "cpu",
        decoder: Decoder | None = None,
        trust: Sequence[str] = (),
        max_memory: float | None = None,
        segment: str = "auto",
    ) -> "Transcriber":
        """Load what `speechgru train` wrote; nothing else is needed.

        Args:
            path: of the checkpoint.
            device: where to run, e.g. "cpu" or "cuda".
            decoder: greedy if None.
            trust: modules of the user's own that the checkpoint may name.
            max_memory, segment: see `Transcriber`.

        Raises:
            InputError: the file is no usable checkpoint, there is no such device,
                max_memory is not positive, or segment is unknown.
        """
        # Here, since a Transcriber around a model in memory needs none of it.
        from speechgru.checkpoint.load import load_checkpoint, to_device

        loaded = load_checkpoint(path, trust=trust)
        model = to_device(loaded.model, device)
        return cls(
            model,
            loaded.tokenizer,
            decoder or GreedyDecoder(),
            loaded.metadata,
            max_memory,
            segment,
        )

    def transcribe(self, audio: Source, sample_rate: int | None = None) -> Transcript:
        """Transcribe one recording.

        Args:
            audio: the path of a file, its content, or an open binary file; or a
                waveform, a tensor or array of (samples,), (channels, samples) or
                (samples, channels): floats in [-1, 1], or 8-, 16- or 32-bit integers;
                or an `Excerpt` of one of these.
            sample_rate: Hz, of a waveform; a file knows its own.

        Raises:
            InputError: the audio cannot be read, is too short, or too long for the
                memory; a waveform cannot be understood, or its rate is missing.
        """
        recording = Recording.of(audio, sample_rate)
        if self._in_parts(self._measure(recording)):
            heard = self._by_parts(recording)
        else:
            [heard] = self._hear([recording.name], [self._batches.load(recording)])
        return recording.place(heard)

    def align(self, audio: Source, text: str) -> Transcript:
        """Find out when each token and word of a known text was said.

        Args:
            audio: the path of a file, its content, or an open binary file, or an
                `Excerpt` of one.
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
        token_ids = encode_text(text, self.tokenizer)
        text = self.tokenizer.normalize(text)
        info = recording.inspect()
        if self._long.takes(info.duration):
            with self._long.score(recording, info.duration) as scores:
                log_probs = scores.gather()
                num_samples = scores.num_samples
                return self._align(recording, log_probs, token_ids, text, num_samples)
        self._memory.check(recording.title, info)
        waveform = self._batches.load(recording)
        scored, lengths = self._batches.score([recording.name], [waveform])
        log_probs = scored[0, : lengths[0]].cpu()
        return self._align(recording, log_probs, token_ids, text, len(waveform))

    def _align(
        self,
        recording: Recording,
        log_probs: Tensor,
        token_ids: list[int],
        text: str,
        num_samples: int,
    ) -> Transcript:
        """Place the tokens of a text in a recording, given its (T, C) log_probs."""
        try:
            aligned = align_text(
                log_probs, token_ids, self.tokenizer, self.model.seconds_per_frame, text
            )
        except InputError as error:
            raise InputError(f"{recording.name}: {error}") from error
        return recording.place(self._describe(recording.name, aligned, num_samples))

    def transcribe_many(
        self,
        sources: Iterable[Source],
        batch_seconds: float = 60.0,
        sample_rate: int | None = None,
    ) -> Iterator[Transcript | Failure]:
        """Transcribe recordings in batches of similar length.

        The result for a source does not depend on the others, and one that
        cannot be transcribed, for whatever reason, does not stop them. Sources are
        taken 256 at a time; audio is decoded a batch at a time.

        Args:
            sources: any number of what `transcribe` takes.
            batch_seconds: s, of audio in a batch, padding included; a longer
                recording goes alone.
            sample_rate: Hz, of the waveforms among the sources.

        Returns:
            One result per source, in the order of the sources.

        Raises:
            InputError: batch_seconds is not positive, or sources is one recording.
        """
        if not batch_seconds > 0:
            raise InputError(
                f"batch_seconds is {batch_seconds}, expected more than 0 s"
            )
        check_several(sources)
        return self._transcribe_all(iter(sources), batch_seconds, sample_rate)

    def _transcribe_all(
        self, sources: Iterator[Source], batch_seconds: float, sample_rate: int | None
    ) -> Iterator[Transcript | Failure]:
        while window := list(islice(sources, WINDOW)):
            shortened = self._memory.shorten(batch_seconds)
            yield from transcribe_window(
                window,
                sample_rate,
                shortened,
                self._measure,
                self._batches.load,
                self._hear,
                partial(self._in_parts, batch_seconds=shortened),
                partial(self._by_parts, batch_seconds=shortened),
            )

    def stream(
        self,
        chunks: Iterable[Waveform],
        sample_rate: int,
        endpoints: Endpoints | None = None,
        step: float = 0.1,
    ) -> Iterator[StreamResult]:
        """Transcribe sound while it comes, e.g. from a microphone.

        Results are the same for chunks of any size. Each utterance has the text that
        `transcribe` gives of its samples. `OnlineRecognizer` is for who would rather
        push chunks than have them pulled.

        Args:
            chunks: mono waveforms of (samples,), one behind the other.
            sample_rate: Hz, of them.
            endpoints: rules by which an utterance ends; None: the usual.
            step: s of sound that are heard at once, about.

        Returns:
            Partial results, each time that another text is heard, and a final one
            for each utterance in which something is.

        Raises:
            InputError: the model or its decoder cannot hear a stream, which the
                message explains; or a chunk is no waveform.
        """
        recognizer = OnlineRecognizer(
            self.model, self.tokenizer, self.decoder, sample_rate, endpoints, step
        )
        return recognizer.run(chunks)

    def _measure(self, recording: Recording) -> float:
        """s that it lasts, if that fits into memory, or need not."""
        info = recording.inspect()
        if not self._in_parts(info.duration):
            self._memory.check(recording.title, info)
        return info.duration

    def _in_parts(self, duration: float, batch_seconds: float = 0.0) -> bool:
        """Whether a recording of so many s is heard by itself, part by part."""
        return self._segmentation.cuts(duration) or self._long.takes(
            duration, batch_seconds
        )

    def _by_parts(
        self, recording: Recording, batch_seconds: float = 60.0
    ) -> Transcript:
        duration = recording.inspect().duration
        if not self._segmentation.cuts(duration):
            return self._hear_long(recording, duration)
        hear = partial(self._hear, are_pieces=True)
        return self._segmentation.transcribe(
            recording, batch_seconds, self._batches.load, hear
        )

    def _hear(
        self, names: list[str], waveforms: list[Tensor], are_pieces: bool = False
    ) -> list[Transcript]:
        log_probs, output_lengths = self._batches.score(names, waveforms)
        hypotheses = self.decoder(
            log_probs, output_lengths, self.tokenizer, self.model.seconds_per_frame
        )
        longest = LONGEST * self.model.sample_rate
        return [
            self._describe(
                name, found, len(waveform), are_pieces or len(waveform) > longest
            )
            for name, waveform, found in zip(names, waveforms, hypotheses, strict=True)
        ]

    def _hear_long(self, recording: Recording, duration: float) -> Transcript:
        with self._long.score(recording, duration) as scores:
            found = decode_long(
                scores, self.decoder, self.tokenizer, self.model.seconds_per_frame
            )
        return self._describe(recording.name, found, scores.num_samples, True)

    def _describe(
        self, name: str, found: Hypothesis, num_samples: int, has_pauses: bool = False
    ) -> Transcript:
        if has_pauses:
            found = break_at_pauses(found, self.tokenizer)
        return Transcript.of(name, found, num_samples / self.model.sample_rate)
