"""Plain text: a line a recording."""

from speechgru.files import printable
from speechgru.transcribe.transcript import Transcript

ENDING = ".txt"
HOLDS_SEVERAL = True


def render(transcript: Transcript, named: bool) -> str:
    """Write the text on a line, after the source's name and a tab if wanted."""
    if not named:
        return f"{transcript.text}\n"
    return f"{printable(transcript.source)}\t{transcript.text}\n"
