"""Results of a stream as JSON Lines."""

from typing import Any

from speechgru.files import to_json
from speechgru.transcribe.online.result import StreamResult


def to_record(result: StreamResult) -> str:
    """A JSON object on one line.

    Keys: type ("partial" or "final"), start and end (s from the start of the stream),
    text; of a final one also confidence and words, as in `formats/json.py`, and
    alternatives, if the decoder was asked. Numbers are rounded to 3 decimals.
    """
    record: dict[str, Any] = {
        "type": "final" if result.is_final else "partial",
        "start": round(result.start, 3),
        "end": round(result.end, 3),
        "text": result.text,
    }
    if result.is_final:
        confidence = result.confidence
        record["confidence"] = None if confidence is None else round(confidence, 3)
        record["words"] = [
            {
                "text": word.text,
                "start": round(word.start, 3),
                "end": round(word.end, 3),
                "confidence": round(word.confidence, 3),
            }
            for word in result.words
        ]
    if result.alternatives:
        record["alternatives"] = [
            {"text": other.text, "score": round(other.score, 3)}
            for other in result.alternatives
        ]
    return to_json(record).decode()
