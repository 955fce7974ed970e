"""Transcripts as lines of text or JSON."""

import json
from collections.abc import Iterable
from typing import Any

from speechgru.interfaces import Span
from speechgru.transcribe.transcriber import Transcript


def to_text(transcript: Transcript, with_name: bool) -> str:
    """Write the text, after the source's name and a tab if wanted."""
    if not with_name:
        return transcript.text
    return f"{_printable(transcript.source)}\t{transcript.text}"


def to_json(transcript: Transcript) -> str:
    """Write a JSON object on one line.

    Keys: source, text, duration (s), confidence (null if nothing was heard),
    words and tokens; these are lists of text, start (s), end (s), confidence.
    Numbers are rounded to 3 decimals.
    """
    return json.dumps(
        {
            "source": _printable(transcript.source),
            "text": transcript.text,
            "duration": round(transcript.duration, 3),
            "confidence": None
            if transcript.confidence is None
            else round(transcript.confidence, 3),
            "words": _to_dicts(transcript.words),
            "tokens": _to_dicts(transcript.tokens),
        },
        ensure_ascii=False,
        allow_nan=False,
    )


def _to_dicts(spans: Iterable[Span]) -> list[dict[str, Any]]:
    return [
        {
            "text": span.text,
            "start": round(span.start, 3),
            "end": round(span.end, 3),
            "confidence": round(span.confidence, 3),
        }
        for span in spans
    ]


def _printable(name: str) -> str:
    # A file name may hold bytes that are no UTF-8, which no stream could print.
    return name.encode("utf-8", "replace").decode("utf-8")
