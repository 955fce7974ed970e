"""A stream of sound to a stream of texts."""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np
from torch import Tensor

from speechgru.interfaces import Decoder, InputError, Tokenizer
from speechgru.model.acoustic import AcousticModel
from speechgru.ranges import STEP, check
from speechgru.transcribe.online.endpoints import BACK, Endpoints
from speechgru.transcribe.online.hearing import Heard, Hearing
from speechgru.transcribe.online.latency import find_latency, step_samples
from speechgru.transcribe.online.refusal import check_decoder, check_model
from speechgru.transcribe.online.result import StreamResult
from speechgru.transcribe.online.samples import Steps
from speechgru.transcribe.waveform import Waveform, check_sample_rate, to_waveform


class OnlineRecognizer:
    """Hear one stream, cut it into utterances, and say what is heard.

    Whatever the sizes of the chunks that it is given, the results are the same: it
    always hears a step at a time. Each utterance is heard from a fresh state, so its
    text is that of a recording from its start to its end. Memory and the work per
    second of sound do not grow with the length of the stream.

    Args:
        model: one that can hear a stream, in eval mode.
        tokenizer: of the model's tokens.
        decoder: one that goes frame by frame.
        sample_rate: Hz, of the stream.
        endpoints: rules by which an utterance ends.
        step: s of sound that are heard at once, about: less makes results earlier,
            more makes them cheaper.

    Raises:
        InputError: the model or the decoder cannot hear a stream; the message says
            why, and what can.
    """

    def __init__(
        self,
        model: AcousticModel,
        tokenizer: Tokenizer,
        decoder: Decoder,
        sample_rate: int,
        endpoints: Endpoints | None = None,
        step: float = 0.1,
    ) -> None:
        check("step", step, STEP)
        check_sample_rate(sample_rate)
        sample_rate = int(sample_rate)  # sounddevice gives it as a float
        check_model(model)
        self.sample_rate = sample_rate
        self.endpoints = endpoints or Endpoints()
        self.latency = find_latency(model, step)
        self._hearing = Hearing(model, tokenizer, check_decoder(decoder))
        self._rate = model.sample_rate
        self._frame = model.seconds_per_frame
        self._make_steps = partial(
            Steps, sample_rate, self._rate, step_samples(model, step)
        )
        self._steps = self._make_steps()
        # As much as an utterance may go back to its end.
        most_back = (BACK + self.latency.most) / self.latency.step
        self._recent: deque[tuple[Tensor, Heard]] = deque(
            maxlen=math.ceil(most_back) + 2
        )
        self._start = 0  # samples of the stream before this utterance
        self._begin()

    def push(self, waveform: Waveform) -> list[StreamResult]:
        """Hear more of the stream.

        Args:
            waveform: (S,) mono, floats in [-1, 1] or integers, as in
                `Transcriber.transcribe`; of any length, also 0.

        Returns:
            What is new, in order.

        Raises:
            InputError: it is no such waveform.
        """
        samples = to_waveform(waveform, self.sample_rate)
        if np.ndim(waveform) != 1:
            raise InputError(
                f"a chunk has the shape {tuple(np.shape(waveform))}, expected one "
                "channel, (samples,); average the channels first"
            )
        return self._hear(self._steps.push(samples))

    def finish(self) -> list[StreamResult]:
        """The stream is over: hear what is left, and end the last utterance.

        Returns:
            What is new. Another stream may begin, with times from its own start.
        """
        results = self._hear(self._steps.finish())
        results += self._end(self._heard, self._num_samples)
        self._steps = self._make_steps()
        self._start = 0
        self._begin()
        return results

    def run(self, chunks: Iterable[Waveform]) -> Iterator[StreamResult]:
        """Hear a whole stream; see `push` and `finish`."""
        for chunk in chunks:
            yield from self.push(chunk)
        yield from self.finish()

    @property
    def seconds(self) -> float:
        """s of the stream that were heard."""
        return (self._start + self._num_samples) / self._rate

    def _begin(self) -> None:
        """Begin an utterance."""
        self._heard = self._hearing.begin()
        self._num_samples = 0
        self._said = ""
        self._recent.clear()

    def _hear(self, blocks: list[Tensor]) -> list[StreamResult]:
        results = []
        waiting = deque(blocks)
        while waiting:
            block = waiting.popleft()
            self._heard = self._hearing.advance(self._heard, block)
            self._num_samples += len(block)
            self._recent.append((block, self._heard))
            text = self._heard.decoding.text
            if text != self._said:
                self._said = text
                results.append(
                    StreamResult(False, text, self._start / self._rate, self.seconds)
                )
            end = self.endpoints.find_end(
                self._heard.num_frames * self._frame,
                self._heard.num_silent * self._frame,
                not text,
            )
            if end is not None:
                waiting.extendleft(reversed(self._go_back(end)))
                results += self._end(self._recent[-1][1], self._num_samples)
                self._start += self._num_samples
                self._begin()
        return results

    def _go_back(self, end: float) -> list[Tensor]:
        """Forget the steps behind a time of the utterance, s, and give them back.

        At least one is kept, for the utterance that follows ends later than this.
        """
        later: list[Tensor] = []
        while len(self._recent) > 1 and self._num_samples / self._rate > end:
            block, _ = self._recent.pop()
            self._num_samples -= len(block)
            later.append(block)
        return later[::-1]

    def _end(self, heard: Heard, num_samples: int) -> list[StreamResult]:
        """The final result of an utterance of so many samples, if it says anything."""
        hypothesis = self._hearing.finish(heard)
        if not hypothesis.text and not self._said:
            return []
        start, end = self._start, self._start + num_samples
        return [StreamResult.final(hypothesis, start / self._rate, end / self._rate)]
