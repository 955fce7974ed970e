"""Tab-separated values, for spreadsheets: a line a subtitle."""

from speechgru.transcribe.cues import cut_into_cues
from speechgru.transcribe.transcript import Transcript

ENDING = ".tsv"
HOLDS_SEVERAL = False


def render(transcript: Transcript, named: bool) -> str:
    """Write start and end (ms) and text, below their names.

    The columns are those that Whisper's command line writes, so that what reads its
    files reads these.
    """
    return "start\tend\ttext\n" + "".join(
        f"{cue.start}\t{cue.end}\t{cue.text}\n" for cue in cut_into_cues(transcript)
    )
