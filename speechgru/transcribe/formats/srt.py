"""SubRip: numbered subtitles."""

from speechgru.transcribe.cues import clock, cut_into_cues
from speechgru.transcribe.transcript import Transcript

ENDING = ".srt"
HOLDS_SEVERAL = False


def render(transcript: Transcript, named: bool) -> str:
    """Write subtitles, numbered from 1, with times as hours:minutes:seconds,ms.

    Source:
        SubRip's file format, which no standard describes; players take text as it
        is, so that nothing is escaped.
    """
    return "\n".join(
        f"{number}\n{clock(cue.start, ',')} --> {clock(cue.end, ',')}\n"
        + "".join(f"{line}\n" for line in cue.lines)
        for number, cue in enumerate(cut_into_cues(transcript), 1)
    )
