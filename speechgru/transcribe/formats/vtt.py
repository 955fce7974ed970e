"""WebVTT: subtitles of web pages."""

from speechgru.transcribe.cues import clock, cut_into_cues
from speechgru.transcribe.transcript import Transcript

ENDING = ".vtt"
HOLDS_SEVERAL = False

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def render(transcript: Transcript, named: bool) -> str:
    """Write subtitles with times as hours:minutes:seconds.ms.

    Source:
        W3C, "WebVTT: The Web Video Text Tracks Format", section 4. Text holds no
        `&` and `<` but as escapes, nor the arrow of the line of times.
    """
    return "WEBVTT\n" + "".join(
        f"\n{clock(cue.start, '.')} --> {clock(cue.end, '.')}\n"
        + "".join(f"{line.translate(_ESCAPES)}\n" for line in cue.lines)
        for cue in cut_into_cues(transcript)
    )
