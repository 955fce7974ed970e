"""A manifest: JSON Lines that the other commands read as a corpus."""

import json
import os

from speechgru.transcribe.formats.json import to_dicts
from speechgru.transcribe.transcript import NAMELESS, Transcript

ENDING = ".jsonl"
HOLDS_SEVERAL = True


def render(transcript: Transcript, named: bool) -> str:
    """Write a line of a manifest, with the words and how sure the model is of them.

    Keys: audio_filepath, absolute; offset (s), of an excerpt; channel, if one alone was
    heard, which no manifest can say; duration (s), text, speaker, if the manifest that
    named the recording says so, confidence (null if nothing was heard) and words, a
    list of text, start (s), end (s), confidence.
    """
    name = transcript.source
    record = {
        # A file name may hold bytes that are no UTF-8, which no JSON can.
        "audio_filepath": (name if name == NAMELESS else os.path.abspath(name))
        .encode("utf-8", "replace")
        .decode("utf-8"),
        **({"offset": round(transcript.start, 6)} if transcript.start else {}),
        **({} if transcript.channel is None else {"channel": transcript.channel}),
        "duration": round(transcript.duration, 6),
        "text": transcript.text,
        **({} if transcript.speaker is None else {"speaker": transcript.speaker}),
        "confidence": None
        if transcript.confidence is None
        else round(transcript.confidence, 3),
        "words": to_dicts(transcript.words),
    }
    return json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"
