"""TextGrid, which Praat shows beside the waveform."""

from collections.abc import Iterable, Iterator

from speechgru.interfaces import Span
from speechgru.transcribe.transcript import Transcript

ENDING = ".TextGrid"
HOLDS_SEVERAL = False


def render(transcript: Transcript, named: bool) -> str:
    """Write a Praat TextGrid with one tier of words and one of tokens.

    Source:
        Praat's manual, "TextGrid file formats", the long text format.
    """
    # A frame can begin within the recording and end after it.
    spans = (*transcript.words, *transcript.tokens)
    end = max([transcript.end, *(span.end for span in spans)])
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
    return "".join(f"{line}\n" for line in lines)


def _fill_gaps(spans: Iterable[Span], end: float) -> Iterator[tuple[float, float, str]]:
    """Intervals that leave no time out; those without text stand between spans."""
    at = 0.0
    for span in spans:
        if span.start > at:
            yield at, span.start, ""
        # The last frame of one piece may reach into the next.
        yield max(at, span.start), max(at, span.end), span.text
        at = max(at, span.end)
    if end > at:
        yield at, end, ""
