"""The transcripts of pieces as that of the recording that they were cut from."""

from collections.abc import Sequence
from functools import reduce
from heapq import nlargest

from speechgru.decode.spans import average_confidence
from speechgru.interfaces import Alternative, Span
from speechgru.transcribe.segments.cutting import Piece
from speechgru.transcribe.transcript import Transcript


def join_pieces(
    source: str, duration: float, pieces: Sequence[Piece], heard: Sequence[Transcript]
) -> Transcript:
    """Join what was heard in the pieces of a recording.

    Args:
        source: the name of the recording.
        duration: s, of the recording.
        pieces: in order.
        heard: of each; its times count from the start of the piece.
    """
    placed = [
        each.place(piece.start, channel=None)
        for piece, each in zip(pieces, heard, strict=True)
    ]
    tokens = tuple(token for each in placed for token in each.tokens)
    return Transcript(
        source=source,
        text=" ".join(each.text for each in placed if each.text),
        duration=duration,
        score=sum(each.score for each in placed),
        confidence=average_confidence(tokens),
        tokens=tokens,
        words=tuple(word for each in placed for word in each.words),
        alternatives=_combine(placed),
        segments=tuple(
            Span(each.text, piece.start, piece.end, each.confidence or 0.0)
            for piece, each in zip(pieces, placed, strict=True)
            if each.text
        ),
    )


def _combine(heard: Sequence[Transcript]) -> tuple[Alternative, ...]:
    """Other texts of the whole, of which each piece has another or the same."""
    most = max((len(each.alternatives) for each in heard), default=0)
    if not most:
        return ()
    choices = [
        [Alternative(each.text, each.score), *each.alternatives] for each in heard
    ]

    def follow(
        before: Sequence[Alternative], behind: Sequence[Alternative]
    ) -> list[Alternative]:
        best: dict[str, Alternative] = {}
        for one in before:
            for other in behind:
                text = f"{one.text} {other.text}".strip()
                both = Alternative(text, one.score + other.score)
                # A word may be heard on either side of a cut.
                if text not in best or best[text].score < both.score:
                    best[text] = both
        return nlargest(most + 1, best.values(), key=lambda each: each.score)

    return tuple(reduce(follow, choices)[1:])
