"""Loading what the page plays and shows, each recording once."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain, takewhile
from pathlib import Path
from typing import Any
from urllib.parse import quote

from speechgru.checkpoint.load import LoadedCheckpoint
from speechgru.files import relative_path
from speechgru.interfaces import InputError
from speechgru.progress import track
from speechgru.report.media import (
    SAMPLE_RATE,
    Recording,
    hear,
    load_sound,
    make_recording,
)
from speechgru.report.page import Media, worst_first
from speechgru.score.results import Result

NO_PATH = "the results do not say where its audio lies"
WITHIN = "its audio lies within a larger file, which a page cannot play"


@dataclass
class MediaCollector:
    """Load sound and posteriors for the page, each recording once.

    Attributes:
        folder: of the page.
        link_audio: refer to the files of utterances whose sound is not loaded.
        recordings: those loaded so far.
    """

    folder: Path
    link_audio: bool
    recordings: list[Recording] = field(default_factory=list)
    _indices: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def collect(
        self,
        results: Sequence[Result],
        worst: int,
        loaded: LoadedCheckpoint | None,
        most_seconds: float = math.inf,
    ) -> Media:
        """Load the worst utterances of a system.

        Args:
            results: of the system.
            worst: utterances whose sound lies inside the page.
            loaded: the model that heard them; None: no posteriors.
            most_seconds: s of sound at most, but one utterance in any case.
        """
        media = Media()
        ranked = worst_first(results)
        worst = _fitting(ranked[:worst], most_seconds)
        shown = track(ranked[:worst], "report", "recordings")
        for index, result in enumerate(chain(shown, ranked[worst:])):
            if result.audio_path is None:
                media.failures[result.id] = NO_PATH
            elif index < worst:
                try:
                    media.recordings[result.id] = self._load_once(result)
                    if loaded is not None:
                        media.posteriors[result.id] = hear(loaded, result)
                except (InputError, OSError) as error:
                    media.failures[result.id] = str(error)
            elif self.link_audio and result.byte_range is not None:
                media.failures[result.id] = WITHIN
            elif self.link_audio:
                media.links[result.id] = self._link(result)
        return media

    def _load_once(self, result: Result) -> int:
        part = None if result.offset is None else (result.offset, result.duration)
        key = (result.audio_path.resolve(), result.byte_range, part)
        if key not in self._indices:
            self.recordings.append(make_recording(load_sound(result, SAMPLE_RATE)))
            self._indices[key] = len(self.recordings) - 1
        return self._indices[key]

    def _link(self, result: Result) -> str:
        link = quote(os.fsencode(relative_path(result.audio_path, self.folder)))
        if result.offset is None:
            return link
        end = "" if result.duration is None else f",{result.offset + result.duration}"
        return f"{link}#t={result.offset}{end}"


def _fitting(ranked: Sequence[Result], most_seconds: float) -> int:
    """How many of the first last no longer together, but one in any case."""
    seconds = accumulate(result.duration or 0.0 for result in ranked)
    fitting = sum(1 for _ in takewhile(lambda so_far: so_far <= most_seconds, seconds))
    return max(fitting, min(1, len(ranked)))
