"""Transcripts as text, JSON, and files of other tools."""

import json
import os
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from speechgru.files import printable
from speechgru.interfaces import Span
from speechgru.transcribe.transcript import Transcript


def to_text(transcript: Transcript, with_name: bool) -> str:
    """Write the text, after the source's name and a tab if wanted."""
    if not with_name:
        return transcript.text
    return f"{printable(transcript.source)}\t{transcript.text}"


def to_json(transcript: Transcript) -> str:
    """Write a JSON object on one line.

    Keys: source, text, duration (s), confidence (null if nothing was heard),
    words and tokens; these are lists of text, start (s), end (s), confidence.
    If the decoder gave any, alternatives is a list of text and score, behind
    the score of the text itself. Numbers are rounded to 3 decimals.
    """
    record: dict[str, Any] = {
        # A file name may hold bytes that are no UTF-8, which no JSON can.
        "source": transcript.source.encode("utf-8", "replace").decode("utf-8"),
        "text": transcript.text,
        "duration": round(transcript.duration, 3),
        "confidence": None
        if transcript.confidence is None
        else round(transcript.confidence, 3),
        "words": _to_dicts(transcript.words),
        "tokens": _to_dicts(transcript.tokens),
    }
    if transcript.alternatives:
        record["score"] = round(transcript.score, 3)
        record["alternatives"] = [
            {"text": other.text, "score": round(other.score, 3)}
            for other in transcript.alternatives
        ]
    return json.dumps(record, ensure_ascii=False, allow_nan=False)


def to_ctm(transcript: Transcript) -> str:
    """Write a line for each word: source, channel, start, duration (s), confidence.

    Source:
        The format ctm of NIST's Speech Recognition Scoring Toolkit, infmts(5).
    """
    name = quote(os.fsencode(transcript.source))
    return "\n".join(
        f"{name} 1 {word.start:.3f} {word.end - word.start:.3f} {word.text} "
        f"{word.confidence:.4f}"
        for word in transcript.words
    )


def to_textgrid(transcript: Transcript) -> str:
    """Write a Praat TextGrid with one tier of words and one of tokens.

    Source:
        Praat's manual, "TextGrid file formats", the long text format.
    """
    # A frame can begin within the recording and end after it.
    spans = (*transcript.words, *transcript.tokens)
    end = max([transcript.duration, *(span.end for span in spans)])
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {end:.6f}",
        "tiers? <exists>",
        "size = 2",
        "item []:",
    ]
    tiers = {"words": transcript.words, "tokens": transcript.tokens}
    for number, (name, spans) in enumerate(tiers.items(), 1):
        intervals = list(_fill_gaps(spans, end))
        lines += [
            f"    item [{number}]:",
            '        class = "IntervalTier"',
            f'        name = "{name}"',
            "        xmin = 0",
            f"        xmax = {end:.6f}",
            f"        intervals: size = {len(intervals)}",
        ]
        for place, (start, stop, text) in enumerate(intervals, 1):
            quoted = text.replace('"', '""')
            lines += [
                f"        intervals [{place}]:",
                f"            xmin = {start:.6f}",
                f"            xmax = {stop:.6f}",
                f'            text = "{quoted}"',
            ]
    return "\n".join(lines)


def _fill_gaps(spans: Iterable[Span], end: float) -> Iterator[tuple[float, float, str]]:
    """Intervals that leave no time out; those without text stand between spans."""
    at = 0.0
    for span in spans:
        if span.start > at:
            yield at, span.start, ""
        yield span.start, span.end, span.text
        at = span.end
    if end > at:
        yield at, end, ""


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
