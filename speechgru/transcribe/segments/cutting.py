"""Where a recording is cut, so that each piece is speech with a little around it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from speechgru.transcribe.segments.voice_activity import (
    SECONDS_PER_FRAME,
    Activity,
    Floats,
)

LONGEST = 30.0
"""s of speech in a piece."""


@dataclass(frozen=True)
class Piece:
    """A part of a recording.

    Attributes:
        start: s from the start of the recording.
        end: s.
    """

    start: float
    end: float


@dataclass(frozen=True)
class Cutting:
    """What is a silence to cut at.

    Attributes:
        begins: probability of speech with which it begins.
        ends: below this one it ends.
        silence: s; shorter ones are part of the speech around them.
        speech: s; what is shorter is no speech.
        padding: s, kept of the silence at either side of speech, as far as it lasts.
        longest: s; longer speech is cut at its quietest frames.
    """

    begins: float = 0.5
    ends: float = 0.35
    silence: float = 0.3
    speech: float = 0.1
    padding: float = 0.15
    longest: float = LONGEST

    def cut(self, activity: Activity, duration: float) -> list[Piece]:
        """Find the pieces, in order, none of which overlap.

        Args:
            activity: of the recording.
            duration: s, of the recording.
        """
        regions = _find_regions(activity.speech, self.begins, self.ends)
        regions = _close_gaps(regions, self.silence / SECONDS_PER_FRAME)
        least = self.speech / SECONDS_PER_FRAME
        regions = [region for region in regions if len(region) >= least]
        most = int(self.longest / SECONDS_PER_FRAME)
        energies = activity.energies
        parts = [part for region in regions for part in _split(region, energies, most)]
        return _pad(parts, self.padding, duration)


def _find_regions(speech: Floats, begins: float, ends: float) -> list[range]:
    """Frames from where speech begins to where it ends."""
    # Between both thresholds all stays as it was.
    is_clear = (speech >= begins) | (speech < ends)
    last_clear = np.maximum.accumulate(np.where(is_clear, np.arange(len(speech)), -1))
    is_speech = (last_clear >= 0) & (speech[last_clear] >= begins)
    edges = np.flatnonzero(np.diff(is_speech, prepend=False, append=False)).tolist()
    return [
        range(start, stop) for start, stop in zip(edges[::2], edges[1::2], strict=True)
    ]


def _close_gaps(regions: Sequence[range], longest: float) -> list[range]:
    """Join what is parted by fewer frames than that."""
    closed: list[range] = []
    for region in regions:
        if closed and region.start - closed[-1].stop < longest:
            closed[-1] = range(closed[-1].start, region.stop)
        else:
            closed.append(region)
    return closed


def _split(region: range, energies: Floats, most: int) -> list[range]:
    """Parts of at most so many frames, cut where it is quietest.

    A part has at least half as many, but the last at least a quarter. How quiet a
    frame is, its neighbours say as well: a plosive's closure is short.
    """
    parts = []
    while len(region) > most:
        first = region.start + most // 2
        last = min(region.start + most, region.stop - most // 4)
        around = energies[first - 1 : last + 2]
        place = first + int((around[:-2] + around[1:-1] + around[2:]).argmin())
        parts.append(range(region.start, place))
        region = range(place, region.stop)
    return [*parts, region]


def _pad(parts: Sequence[range], padding: float, duration: float) -> list[Piece]:
    """Add silence at either side, half of a gap at most."""
    if not parts:
        return []
    starts = [part.start * SECONDS_PER_FRAME for part in parts]
    stops = [min(part.stop * SECONDS_PER_FRAME, duration) for part in parts]
    middles = [
        (stop + start) / 2 for stop, start in zip(stops[:-1], starts[1:], strict=True)
    ]
    firsts, lasts = [0.0, *middles], [*middles, duration]
    return [
        Piece(max(start - padding, first), min(stop + padding, last))
        for start, stop, first, last in zip(starts, stops, firsts, lasts, strict=True)
    ]
