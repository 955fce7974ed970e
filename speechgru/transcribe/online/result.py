"""What a stream says while it is heard."""

from dataclasses import dataclass, replace

from speechgru.decode.spans import average_confidence
from speechgru.interfaces import Alternative, Hypothesis, Span


@dataclass(frozen=True)
class StreamResult:
    """What is heard of an utterance so far, or all of it.

    All times are in s from the start of the stream.

    Attributes:
        is_final: whether the utterance is over; another begins behind it.
        text: normalised as the training transcripts were. A partial one of a greedy
            decoder begins with the one before; a beam may revise it.
        start: of the utterance.
        end: of what was heard of it.
        confidence: as in `Transcript`; None while it is not final.
        words: in order of time; none while it is not final.
        alternatives: other texts, the best first, if the decoder was asked.
    """

    is_final: bool
    text: str
    start: float
    end: float
    confidence: float | None = None
    words: tuple[Span, ...] = ()
    alternatives: tuple[Alternative, ...] = ()

    @classmethod
    def final(cls, hypothesis: Hypothesis, start: float, end: float) -> "StreamResult":
        """That of an utterance that is over, decoded with times from its own start."""
        return cls(
            is_final=True,
            text=hypothesis.text,
            start=start,
            end=end,
            confidence=average_confidence(hypothesis.tokens),
            words=tuple(
                replace(word, start=start + word.start, end=start + word.end)
                for word in hypothesis.words
            ),
            alternatives=hypothesis.alternatives,
        )
