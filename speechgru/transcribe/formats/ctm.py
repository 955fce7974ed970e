"""Time marked conversations of NIST: a line a word."""

import os
from urllib.parse import quote

from speechgru.transcribe.transcript import Transcript

ENDING = ".ctm"
HOLDS_SEVERAL = True


def render(transcript: Transcript, named: bool) -> str:
    """Write a line for each word: source, channel, start, duration (s), confidence.

    The channel is 1 for the first or for the average of all, 2 for the second, ...

    Source:
        The format ctm of NIST's Speech Recognition Scoring Toolkit, infmts(5).
    """
    name = quote(os.fsencode(transcript.source))
    channel = 1 + (transcript.channel or 0)
    return "".join(
        f"{name} {channel} {word.start:.3f} {word.end - word.start:.3f} {word.text} "
        f"{word.confidence:.4f}\n"
        for word in transcript.words
    )
