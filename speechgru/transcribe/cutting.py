"""Utterances to train on, cut out of recordings in which words were found.

What `transcribe` and `align` write as jsonl says when each word was said, and how sure
the model is of it. Long recordings are cut at pauses, and what the model is not sure of
is left out: then what it has heard can teach the next one.

Source:
    "Self-Training for End-to-End Speech Recognition", arXiv:1909.09116, which also
    chooses by confidence.
"""

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from speechgru.data.manifest import write_manifest
from speechgru.decode.spans import geometric_mean
from speechgru.interfaces import InputError, Span, Utterance
from speechgru.options.corpus import CutOptions
from speechgru.progress import say_duration, track
from speechgru.transcribe.heard import Heard, read_heard

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Confidences for which it is said how much has them."""

SHORTEST = 0.05
"""s; less holds no word."""


@dataclass
class Amount:
    """Of utterances.

    Attributes:
        number: how many.
        seconds: s, of all together.
    """

    number: int = 0
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.number += 1
        self.seconds += seconds

    def __str__(self) -> str:
        return f"{self.number} utterances, {say_duration(self.seconds)}"


@dataclass
class Cut:
    """What became of recordings.

    Attributes:
        heard: the recordings.
        kept: what was cut out of them.
        doubtful: what the model is not sure enough of.
        unbroken: stretches of words that are too long, and have no pause.
        short: what is shorter than SHORTEST.
        sure: what has a confidence of each of THRESHOLDS, kept or not.
    """

    heard: Amount = field(default_factory=Amount)
    kept: Amount = field(default_factory=Amount)
    doubtful: Amount = field(default_factory=Amount)
    unbroken: Amount = field(default_factory=Amount)
    short: Amount = field(default_factory=Amount)
    sure: dict[float, Amount] = field(
        default_factory=lambda: {least: Amount() for least in THRESHOLDS}
    )

    def describe(self, options: CutOptions) -> list[str]:
        """Lines for a person."""
        found = (self.kept, self.doubtful, self.unbroken, self.short)
        silent = self.heard.seconds - sum(amount.seconds for amount in found)
        lines = [
            f"kept: {self.kept}, of {say_duration(self.heard.seconds)}",
            f"left out: {say_duration(max(0.0, silent))} in which no word was found",
        ]
        if self.doubtful.number:
            least = f"{options.min_confidence:g}"
            lines.append(f"left out: {self.doubtful}, of a confidence below {least}")
        if self.unbroken.number:
            lines.append(
                f"left out: {self.unbroken}, longer than {options.max_seconds:g} s "
                f"without a pause of {options.pause:g} s"
            )
        if self.short.number:
            lines.append(f"left out: {self.short}, shorter than {SHORTEST:g} s")
        sure = [
            f"{say_duration(amount.seconds)} of at least {least:g}"
            for least, amount in self.sure.items()
        ]
        return [*lines, f"by confidence: {', '.join(sure)}"]


def write_cut(files: Sequence[str], options: CutOptions) -> list[str]:
    """Write the utterances of some files of transcripts as one manifest.

    Args:
        files: that `transcribe` or `align` wrote as jsonl.
        options: of the command.

    Returns:
        Lines for people: what was kept, and what was left out.

    Raises:
        InputError: a file cannot be read, the manifest is there already, or nothing is
            left.
    """
    output = options.output or Path(f"{Path(files[0]).stem}-cut.jsonl")
    is_read = output.exists() and any(
        os.path.samefile(name, output) for name in files if os.path.exists(name)
    )
    if is_read or (output.exists() and not options.overwrite):
        raise InputError(
            f"{output}: is {'read here' if is_read else 'there already'}, expected a "
            "new place; set output=PATH to another"
            + ("" if is_read else ", or set overwrite=true")
        )
    cut = Cut()

    def utterances() -> Iterator[Utterance]:
        ids: set[str] = set()
        for name in track(files, "cutting", "files"):
            for heard in read_heard(Path(name)):
                for utterance in cut_heard(heard, options, cut):
                    if utterance.id in ids:
                        raise InputError(
                            f"{name}: {heard.utterance.id} was there before, expected "
                            "each recording once; leave a file or a line out"
                        )
                    ids.add(utterance.id)
                    yield utterance
        if not cut.kept.number:
            lines = "; ".join(cut.describe(options))
            raise InputError(f"{output}: nothing is left to write: {lines}")

    write_manifest(output, utterances())
    return [f"manifest: {output}", *cut.describe(options)]


def cut_heard(heard: Heard, options: CutOptions, cut: Cut) -> Iterator[Utterance]:
    """The utterances of a recording that are kept.

    Args:
        heard: the recording.
        options: where it is cut, and what is kept.
        cut: where it is counted.
    """
    cut.heard.add(heard.utterance.duration)
    gaps = _gaps(heard)
    waiting = [(0, len(heard.words))] if heard.words else []
    while waiting:
        first, stop = waiting.pop()
        start, end = _bounds(heard, gaps, first, stop, options)
        seconds = end - start
        if seconds > options.max_seconds:
            place = _find_pause(heard, gaps, first, stop, options)
            if place is None:
                cut.unbroken.add(seconds)
            else:
                waiting += [(place, stop), (first, place)]
            continue
        words = heard.words[first:stop]
        confidence = geometric_mean([word.confidence for word in words])
        for least, amount in cut.sure.items():
            if confidence >= least:
                amount.add(seconds)
        if seconds < SHORTEST:
            cut.short.add(seconds)
        elif confidence < options.min_confidence:
            cut.doubtful.add(seconds)
        else:
            cut.kept.add(seconds)
            yield _make(heard.utterance, start, end, words)


def _gaps(heard: Heard) -> list[float]:
    """s without a word before each word, and behind the last one."""
    starts = [word.start for word in heard.words]
    ends = [word.end for word in heard.words]
    before, behind = [heard.utterance.offset, *ends], [*starts, heard.end]
    pairs = zip(before, behind, strict=True)
    return [max(0.0, round(b - a, 6)) for a, b in pairs]  # 0.3 s are not 0.29999


def _bounds(
    heard: Heard, gaps: Sequence[float], first: int, stop: int, options: CutOptions
) -> tuple[float, float]:
    """Where words begin and end, with what is kept around them."""

    def margin(place: int) -> float:
        is_edge = place in (0, len(heard.words))
        return min(options.margin, gaps[place] if is_edge else gaps[place] / 2)

    start = heard.words[first].start - margin(first)
    end = heard.words[stop - 1].end + margin(stop)
    return min(start, heard.end), min(end, heard.end)


def _find_pause(
    heard: Heard, gaps: Sequence[float], first: int, stop: int, options: CutOptions
) -> int | None:
    """The word behind the longest pause, if there is one in the middle half of it."""
    pauses = [at for at in range(first + 1, stop) if gaps[at] >= options.pause]
    if not pauses:
        return None
    start, end = heard.words[first].start, heard.words[stop - 1].end
    quarter = (end - start) / 4
    inner = [
        at
        for at in pauses
        if start + quarter <= heard.words[at].start - gaps[at] / 2 <= end - quarter
    ]
    return max(inner or pauses, key=gaps.__getitem__)


def _make(
    whole: Utterance, start: float, end: float, words: Sequence[Span]
) -> Utterance:
    # Inwards to the ms: no utterance may end behind its recording.
    first, last = math.ceil(start * 1000), math.floor(end * 1000)
    return replace(
        whole,
        id=f"{whole.id}#{first / 1000:.3f}",
        duration=(last - first) / 1000,
        text=" ".join(word.text for word in words),
        offset=first / 1000,
        partial=True,
    )
