"""JSON Lines: an object a recording."""

import json
from collections.abc import Iterable
from typing import Any

from speechgru.interfaces import Span
from speechgru.transcribe.transcript import Transcript

ENDING = ".json"
HOLDS_SEVERAL = True


def render(transcript: Transcript, named: bool) -> str:
    """Write a JSON object on one line, which always holds the name.

    Keys: source, text, duration (s), confidence (null if nothing was heard),
    words and tokens; these are lists of text, start (s), end (s), confidence. So is
    segments, where the recording was cut at silences.
    If the decoder gave any, alternatives is a list of text and score, behind
    the score of the text itself. Of an excerpt, start (s) says where it begins in its
    recording; of a channel, channel which; speaker who, if the manifest that named the
    recording says so. Numbers are rounded to 3 decimals.
    """
    record: dict[str, Any] = {
        # A file name may hold bytes that are no UTF-8, which no JSON can.
        "source": transcript.source.encode("utf-8", "replace").decode("utf-8"),
        "text": transcript.text,
        "duration": round(transcript.duration, 3),
        "confidence": None
        if transcript.confidence is None
        else round(transcript.confidence, 3),
        "words": to_dicts(transcript.words),
        "tokens": to_dicts(transcript.tokens),
    }
    if transcript.start:
        record["start"] = round(transcript.start, 3)
    if transcript.channel is not None:
        record["channel"] = transcript.channel
    if transcript.speaker is not None:
        record["speaker"] = transcript.speaker
    if transcript.segments:
        record["segments"] = to_dicts(transcript.segments)
    if transcript.alternatives:
        record["score"] = round(transcript.score, 3)
        record["alternatives"] = [
            {"text": other.text, "score": round(other.score, 3)}
            for other in transcript.alternatives
        ]
    return json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"


def to_dicts(spans: Iterable[Span]) -> list[dict[str, Any]]:
    """Text, start (s), end (s) and confidence of each, with 3 decimals."""
    return [
        {
            "text": span.text,
            "start": round(span.start, 3),
            "end": round(span.end, 3),
            "confidence": round(span.confidence, 3),
        }
        for span in spans
    ]
