"""What becomes of a source: its text, or why there is none."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from speechgru.decode.spans import average_confidence, warn_of_broken_bytes
from speechgru.files import printable
from speechgru.interfaces import Alternative, Hypothesis, InputError, Span

NAMELESS = "-"
"""Name of a source that is no file: bytes, standard input, a waveform."""


@dataclass(frozen=True)
class Transcript:
    """What was said in one source.

    Attributes:
        source: the path as it was given; "-" for audio without a name.
        text: normalised as the training transcripts were.
        duration: s, of the audio that was heard.
        score: natural log-probability of the decoded path.
        confidence: geometric mean of the tokens' confidences, in [0, 1];
            None if no word was heard.
        tokens: in order of time.
        words: in order of time.
        alternatives: other texts, the best first, if the decoder was asked.
        start: s from the start of the recording to that of an excerpt, which alone was
            heard; all times count from the start of the recording.
        channel: the one that was heard, from 0; None: all, averaged.
        segments: pieces in which something was heard, if the recording was cut at
            silences; their confidence is that of their text.
        speaker: as the manifest says that named the recording, if it does.
    """

    source: str
    text: str
    duration: float
    score: float
    confidence: float | None
    tokens: tuple[Span, ...]
    words: tuple[Span, ...]
    alternatives: tuple[Alternative, ...] = ()
    start: float = 0.0
    channel: int | None = None
    segments: tuple[Span, ...] = ()
    speaker: str | None = None

    @classmethod
    def of(cls, name: str, hypothesis: Hypothesis, duration: float) -> "Transcript":
        """What a decoder heard in the source of a name that lasts so many s.

        The last frame may end behind the sound; no word does.
        """
        warn_of_broken_bytes(name, hypothesis.text)
        return cls(
            source=name,
            text=hypothesis.text,
            duration=duration,
            score=hypothesis.score,
            confidence=average_confidence(hypothesis.tokens),
            tokens=_clip(hypothesis.tokens, duration),
            words=_clip(hypothesis.words, duration),
            alternatives=hypothesis.alternatives,
        )

    @property
    def end(self) -> float:
        """s from the start of the recording to where hearing ended."""
        return self.start + self.duration

    def place(self, start: float, channel: int | None) -> "Transcript":
        """What this is, heard in an excerpt that starts at so many s of a recording."""
        if not start and channel is None:
            return self
        return replace(
            self,
            start=start,
            channel=channel,
            tokens=_shift(self.tokens, start),
            words=_shift(self.words, start),
            segments=_shift(self.segments, start),
        )


@dataclass(frozen=True)
class Failure:
    """A source that could not be transcribed.

    Attributes:
        source: as in `Transcript`.
        message: one line, which names the source, what was found, what expected
            and the remedy.
    """

    source: str
    message: str

    @classmethod
    def of(cls, name: str, error: Exception) -> "Failure":
        """Say why the source of a name could not be transcribed."""
        message = printable(_explain(error))
        if not message.startswith(f"{printable(name)}: "):
            message = f"{printable(name)}: {message}"
        return cls(name, message)


def _explain(error: Exception) -> str:
    text = str(error).strip()
    if isinstance(error, (InputError, OSError)):
        return text or type(error).__name__
    if isinstance(error, MemoryError):
        return (
            f"there is not enough memory ({text or 'MemoryError'}); cut it into parts"
        )
    # Not foreseen: its kind says more than its text.
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _clip(spans: Iterable[Span], duration: float) -> tuple[Span, ...]:
    """Spans that end with the recording, but for one that only begins there."""
    return tuple(
        replace(span, end=duration) if span.start < duration < span.end else span
        for span in spans
    )


def _shift(spans: Iterable[Span], seconds: float) -> tuple[Span, ...]:
    return tuple(
        replace(span, start=span.start + seconds, end=span.end + seconds)
        for span in spans
    )
