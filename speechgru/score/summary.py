"""The error rates of a file of results, each with its uncertainty."""

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from speechgru.bounded import read_json
from speechgru.files import reason
from speechgru.interfaces import InputError
from speechgru.records import get_number, get_text
from speechgru.score.bootstrap import bootstrap_interval
from speechgru.score.calibration import Calibration, calibrate
from speechgru.score.counts import ErrorCounts
from speechgru.score.results import Result

MIN_SPEAKERS = 10
"""Fewer say too little of other speakers: an interval drawn from a handful of
them is too narrow (Cameron, Gelbach and Miller 2008, "Bootstrap-Based
Improvements for Inference with Clustered Errors")."""

LENGTHS = (0, 1, 3, 6, 11, 21, 31, 41)
"""Words of the reference from which a new class of length begins."""

Unit = Literal["utterance", "speaker"]


@dataclass(frozen=True)
class Rate:
    """An error rate and its 95 % bootstrap interval.

    Attributes:
        counts: the edits that it is made of.
        low: lower bound, a rate.
        high: upper bound.
    """

    counts: ErrorCounts
    low: float
    high: float

    def __str__(self) -> str:
        bounds = f"[{percent(self.low)}, {percent(self.high)}]"
        return f"{percent(self.counts.rate)} % {bounds}"

    def to_record(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        rates = {"rate": self.counts.rate, "low": self.low, "high": self.high}
        return {**rates, **asdict(self.counts)}


@dataclass(frozen=True)
class Summary:
    """What a file of results says as a whole.

    Attributes:
        num_utterances: in the file.
        duration: s, of all; None if that of one is not known.
        scoring: how all were aligned.
        mapped_by: name of the `WordMap` that was applied to all; None: no such map.
        resampled: what the intervals of the whole were drawn from.
        words: word error rate.
        characters: character error rate.
        sentences: share of utterances with an error.
        by_speaker: word error rate of each, where speakers are known.
        by_length: word error rate by words of the reference.
        calibration: of the words' confidences, where they are known.
    """

    num_utterances: int
    duration: float | None
    scoring: str
    mapped_by: str | None
    resampled: Unit
    words: Rate
    characters: Rate
    sentences: Rate
    by_speaker: Mapping[str, Rate]
    by_length: Mapping[str, Rate]
    calibration: Calibration | None

    def to_record(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            key: value.to_record()
            if isinstance(value, Rate)
            else {name: rate.to_record() for name, rate in value.items()}
            if isinstance(value, Mapping)
            else asdict(value)
            if isinstance(value, Calibration)
            else value
            for key, value in vars(self).items()
        }


def summarise(results: Sequence[Result], resample: Unit | None = None) -> Summary:
    """Sum up a file of results.

    Args:
        results: at least one, all of one scoring and one map of words.
        resample: what the bootstrap draws whole: utterances, or speakers
            with all of theirs, whose errors hang together; by default
            speakers, if all are known and at least MIN_SPEAKERS.

    Raises:
        InputError: no results, results of several scorings or maps of words, or
            resampling by speakers that are not known.
    """
    if not results:
        raise InputError("no results, expected at least one utterance")
    resample, groups = group_by_unit(results, resample)
    scorings = sorted({result.scoring for result in results})
    if len(scorings) > 1:
        raise InputError(
            f"utterances are scored by {' and '.join(scorings)}, expected one scoring; "
            "make the results anew"
        )
    maps = {result.mapped_by for result in results}
    if len(maps) > 1:
        names = sorted(name or "no map" for name in maps)
        raise InputError(
            f"the words of utterances are mapped by {' and by '.join(names)}, expected "
            "one map; make the results anew"
        )

    def rate(get: Callable[[Result], ErrorCounts]) -> Rate:
        return _rate([_total(map(get, group)) for group in groups])

    durations = [each.duration for each in results if each.duration is not None]
    return Summary(
        num_utterances=len(results),
        duration=math.fsum(durations) if len(durations) == len(results) else None,
        scoring=scorings[0],
        mapped_by=maps.pop(),
        resampled=resample,
        words=rate(lambda result: result.word_errors),
        characters=rate(lambda result: result.character_errors),
        sentences=rate(lambda result: result.sentence_errors),
        by_speaker=_word_rates(results, lambda result: result.speaker or "(not known)")
        if any(result.speaker for result in results)
        else {},
        by_length=_word_rates(
            sorted(results, key=lambda result: result.word_errors.reference_length),
            lambda result: length_class(result.word_errors.reference_length),
        ),
        calibration=calibrate(results),
    )


def group_by_unit(
    results: Sequence[Result], unit: Unit | None
) -> tuple[Unit, list[list[Result]]]:
    """Put together what the bootstrap draws whole; see `summarise`.

    An utterance may be there several times, as it was recognised by several models.
    """
    unit = choose_unit({result.id: result.speaker for result in results}, unit)
    key = "id" if unit == "utterance" else "speaker"
    return unit, list(_by(results, lambda result: getattr(result, key)).values())


def choose_unit(speakers: Mapping[str, str | None], unit: Unit | None) -> Unit:
    """What the bootstrap draws whole, by the speakers of utterances; see `summarise`.

    Raises:
        InputError: no such unit, or a speaker is needed and not known.
    """
    if unit not in (None, "utterance", "speaker"):
        raise InputError(f"resample is {unit!r}, expected utterance or speaker")
    nameless = next((id for id, speaker in speakers.items() if speaker is None), None)
    if unit == "speaker" and nameless is not None:
        raise InputError(
            f"resample is speaker, but the speaker of {nameless} is not known; "
            "use resample=utterance"
        )
    if unit is not None:
        return unit
    many = len(set(speakers.values())) >= MIN_SPEAKERS
    return "speaker" if many and nameless is None else "utterance"


def read_summary(path: Path) -> dict[str, Any]:
    """Read what `evaluate` writes beside its results.

    Raises:
        InputError: the file cannot be read, or is something else.
    """
    try:
        record: dict[str, Any] = read_json(path)
        for key in ("corpus", "split", "checkpoint"):
            get_text(record, key)
        for key in ("rate", "low", "high"):
            if record["words"][key] is not None:  # infinite: nothing was said
                get_number(record["words"], key, "a rate")
    except (OSError, ValueError, KeyError, TypeError) as error:
        said = reason(error) if isinstance(error, OSError) else repr(error)
        raise InputError(
            f"{path}: not what `evaluate` writes beside its results ({said}); "
            "evaluate again, or remove it"
        ) from error
    return record


def length_class(num_words: int) -> str:
    """Name the class of a reference's length, e.g. "3-5"."""
    index = max(i for i, start in enumerate(LENGTHS) if start <= num_words)
    start = LENGTHS[index]
    if index + 1 == len(LENGTHS):
        return f"{start}-"
    end = LENGTHS[index + 1] - 1
    return f"{start}" if start == end else f"{start}-{end}"


def percent(rate: float) -> str:
    """A rate in percent, without the sign."""
    return f"{100 * rate:.2f}"


def _word_rates(
    results: Sequence[Result], key: Callable[[Result], str]
) -> dict[str, Rate]:
    return {
        name: _rate([result.word_errors for result in group])
        for name, group in _by(results, key).items()
    }


def _by(
    results: Sequence[Result], key: Callable[[Result], Hashable]
) -> dict[Any, list[Result]]:
    groups: dict[Any, list[Result]] = defaultdict(list)
    for result in results:
        groups[key(result)].append(result)
    return groups


def _rate(counts: Sequence[ErrorCounts]) -> Rate:
    return Rate(_total(counts), *bootstrap_interval(counts))


def _total(counts: Iterable[ErrorCounts]) -> ErrorCounts:
    return sum(counts, start=ErrorCounts())
