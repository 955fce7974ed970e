"""Results as one page of HTML that loads nothing from the network."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from importlib.resources import files
from typing import Any

from speechgru.files import to_json
from speechgru.report.curves_svg import STYLE, draw_svgs
from speechgru.report.making import Facts
from speechgru.report.media import Posteriors, Recording
from speechgru.score.breakdown import Breakdown, describe_unseen, first
from speechgru.score.results import Result
from speechgru.score.summary import Rate, Summary

WHY_SILENT = (
    "The sound is not in this page: it holds that of the worst utterances (worst=N, "
    "worst_seconds=S), and plays others from their files if it is made with "
    "link_audio=true."
)


MOST_CONFUSED = 100
"""Kinds of errors of characters in the page; it counts those of words itself."""


@dataclass
class Media:
    """What the page can play and show of a system's utterances.

    Attributes:
        recordings: index of the Recording, by utterance id.
        posteriors: by utterance id.
        links: path of the audio, relative to the page, by utterance id.
        failures: why there is no sound, by utterance id.
    """

    recordings: dict[str, int] = field(default_factory=dict)
    posteriors: dict[str, Posteriors] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class System:
    """What the page tells of one system.

    Attributes:
        name: short, unique in the page.
        path: of the results.
        results: at least one.
        summary: of the results.
        breakdown: of their errors.
        description: how they were made, where known: checkpoint, decoder, ...
        curves: of the run, by `read_learning_curves`; empty if not known.
        config: of the run, YAML; None if not known.
        unusual: its options that are not the defaults: name, value, default.
        decoding, training: what is known of them, by name.
        by_level: WER by dBFS; empty: not known.
        by_pace: WER by characters said in a second; empty: not known.
        media: to play and to show.
    """

    name: str
    path: str
    results: Sequence[Result]
    summary: Summary
    breakdown: Breakdown
    description: Mapping[str, Any] | None
    curves: Sequence[Mapping[str, float]]
    config: str | None
    unusual: Sequence[tuple[str, str, str]]
    decoding: Facts
    training: Facts
    by_level: Mapping[str, Rate]
    by_pace: Mapping[str, Rate]
    media: Media


@dataclass(frozen=True)
class Difference:
    """How much better one system is than another.

    Attributes:
        first, second: names of the systems.
        difference: WER of the second less that of the first.
        low, high: its 95 % interval.
        p: of the matched-pairs test, corrected for the number of pairs; None: too
            few segments differ.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    p: float | None


def worst_first(results: Sequence[Result]) -> list[Result]:
    """Most edits first, then the highest rate, then by id."""

    def key(result: Result) -> tuple[int, float, str]:
        return -result.word_errors.edits, -result.word_errors.rate, result.id

    return sorted(results, key=key)


def make_page(
    title: str,
    systems: Sequence[System],
    recordings: Sequence[Recording],
    differences: Sequence[Difference],
    why_not_compared: str = "",
) -> str:
    """Put everything into one page.

    Args:
        title: of the page.
        systems: at least one.
        recordings: what `Media.recordings` counts in.
        differences: of all pairs of systems.
        why_not_compared: why there are none, if there are not.
    """
    data = {
        "systems": [_system_record(system) for system in systems],
        "recordings": [asdict(recording) for recording in recordings],
        "comparisons": [asdict(difference) for difference in differences],
        "why_not_compared": why_not_compared,
        "why_silent": WHY_SILENT,
    }
    folder = files("speechgru.report") / "page_parts"
    parts = {
        "style": (folder / "page.css").read_text(encoding="utf-8") + STYLE,
        "script": (folder / "page.js").read_text(encoding="utf-8"),
        # A transcript that says </script> does not end the data.
        "data": to_json(data).decode().replace("<", "\\u003c"),
        # A file name that is no UTF-8 cannot stand in the page as it is.
        "title": escape(title).encode(errors="replace").decode(),
    }
    page = (folder / "page.html").read_text(encoding="utf-8")
    # Split, not replaced one by one: what is put in may hold a marker itself.
    pieces = page.split("@")
    return "".join(
        piece if index % 2 == 0 else parts[piece] for index, piece in enumerate(pieces)
    )


def _system_record(system: System) -> dict[str, Any]:
    unseen = system.breakdown.unseen
    return {
        "name": system.name,
        "path": system.path,
        "summary": system.summary.to_record(),
        "breakdown": system.breakdown.to_record(MOST_CONFUSED),
        "unseen": None if unseen is None else describe_unseen(unseen),
        "description": system.description,
        "curves": list(system.curves),
        "plots": draw_svgs(system.curves) if len(system.curves) > 1 else "",
        "config": system.config,
        "unusual": system.unusual,
        "decoding": system.decoding,
        "training": system.training,
        "by_level": {name: rate.to_record() for name, rate in system.by_level.items()},
        "by_pace": {name: rate.to_record() for name, rate in system.by_pace.items()},
        "character_examples": [
            system.breakdown.character_examples[pair]
            for pair, _ in first(system.breakdown.characters, MOST_CONFUSED)
        ],
        "utterances": [_utterance_record(r, system.media) for r in system.results],
    }


def _utterance_record(result: Result, media: Media) -> dict[str, Any]:
    posteriors = media.posteriors.get(result.id)
    return {
        "id": result.id,
        "speaker": result.speaker,
        "offset": result.offset,
        "duration": result.duration,
        "confidence": result.confidence,
        "edits": result.word_errors.edits,
        "num_words": result.word_errors.reference_length,
        "pairs": result.alignment,
        "words": [asdict(word) for word in result.words],
        "media": media.recordings.get(result.id),
        "posteriors": None if posteriors is None else asdict(posteriors),
        "audio": media.links.get(result.id),
        "why_silent": media.failures.get(result.id),
    }
