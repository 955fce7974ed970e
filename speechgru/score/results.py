"""What was said and what was heard: one line of JSON for each utterance.

    {"id": "a", "reference": "GO ON", "hypothesis": "GO", "scoring": "levenshtein",
     "alignment": [["GO", "GO"], ["ON", null]], "speaker": "ann", ...}

Only `id`, `reference` and `hypothesis` must be there, so that results of other
systems can be compared, too: without an alignment they are aligned when read.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from speechgru.files import read_json_lines, relative_path, write_json_lines
from speechgru.interfaces import FilePart, InputError, Span
from speechgru.records import (
    check_keys,
    get_byte_range,
    get_name,
    get_number,
    get_seconds,
    get_text,
    show,
)
from speechgru.score.alignment import (
    SCORINGS,
    AlignedPair,
    Alignment,
    count_edits,
)
from speechgru.score.counts import ErrorCounts, count_character_errors

DEFAULT_SCORING = "levenshtein"


@dataclass(frozen=True)
class Result:
    """One utterance, decoded and aligned.

    Attributes:
        id: unique within its file.
        reference: the true transcript, normalised.
        hypothesis: the decoded transcript, normalised alike.
        scoring: how they were aligned, a key of SCORINGS.
        alignment: word by word.
        speaker: where known.
        duration: s, where known.
        audio_path: where known.
        offset: s from the start of the file, where the utterance is a part.
        byte_range: as in `Utterance`.
        confidence: geometric mean of the tokens' probabilities, in [0, 1];
            None if no word was heard, or not known.
        words: of the hypothesis, with times; empty if not known.
        mapped_by: name of the `WordMap` that was applied; None: no such map.
        unmapped: reference and hypothesis before that.
    """

    id: str
    reference: str
    hypothesis: str
    scoring: str
    alignment: Alignment
    speaker: str | None = None
    duration: float | None = None
    audio_path: Path | None = None
    offset: float | None = None
    byte_range: tuple[int, int] | None = None
    confidence: float | None = None
    words: tuple[Span, ...] = ()
    mapped_by: str | None = None
    unmapped: tuple[str, str] | None = None

    @property
    def audio(self) -> Path | FilePart | None:
        """What is decoded."""
        if self.audio_path is None or self.byte_range is None:
            return self.audio_path
        return FilePart(self.audio_path, *self.byte_range)

    @cached_property
    def word_errors(self) -> ErrorCounts:
        """Edits of words, by the scoring."""
        return count_edits(self.alignment)

    @cached_property
    def character_errors(self) -> ErrorCounts:
        """The fewest edits of characters, whatever the scoring."""
        return count_character_errors(self.reference, self.hypothesis)

    @property
    def sentence_errors(self) -> ErrorCounts:
        """One unit, which is right if every word is."""
        wrong = int(self.word_errors.edits > 0)
        return ErrorCounts(substitutions=wrong, hits=1 - wrong)


def make_result(
    id: str, reference: str, hypothesis: str, scoring: str, **known: Any
) -> Result:
    """Align an utterance.

    Args:
        id: as in Result, like the rest.
        reference: normalised.
        hypothesis: normalised alike.
        scoring: a key of SCORINGS.
        known: what else Result holds.

    Raises:
        InputError: there is no such scoring.
    """
    check_scoring(scoring)
    alignment = SCORINGS[scoring](reference, hypothesis)
    return Result(id, reference, hypothesis, scoring, alignment, **known)


def rescore(results: Iterable[Result], scoring: str | None) -> list[Result]:
    """Align results anew; None leaves them as they are.

    Raises:
        InputError: there is no such scoring.
    """
    if scoring is None:
        return list(results)
    check_scoring(scoring)
    align = SCORINGS[scoring]
    return [
        replace(
            result,
            scoring=scoring,
            alignment=align(result.reference, result.hypothesis),
        )
        for result in results
    ]


def check_scoring(scoring: str) -> None:
    """Raise InputError if there is no such scoring."""
    if scoring not in SCORINGS:
        raise InputError(
            f"scoring is {scoring!r}, expected one of: {', '.join(SCORINGS)}"
        )


def write_results(path: str | os.PathLike[str], results: Iterable[Result]) -> None:
    """Write a file of results, whole or not at all.

    Raises:
        InputError: the file cannot be written; an older one stays.
    """
    folder = Path(path).parent
    write_json_lines(path, (_to_record(result, folder) for result in results))


def read_results(path: str | os.PathLike[str]) -> list[Result]:
    """Read a file of results, of `speechgru evaluate` or of another system.

    Returns:
        The results in the order of the lines.

    Raises:
        InputError: no such file, nothing in it, or bad lines, each named.
    """
    folder = Path(path).parent
    return read_json_lines(
        path,
        lambda record: _to_result(record, folder),
        get_id=lambda result: result.id,
        kind="a file of results",
        origin="speechgru evaluate",
    )


def _to_record(result: Result, folder: Path) -> dict[str, Any]:
    record = {
        "id": result.id,
        "reference": result.reference,
        "hypothesis": result.hypothesis,
        "scoring": result.scoring,
        "alignment": [list(pair) for pair in result.alignment],
        "word_errors": asdict(result.word_errors),
        "character_errors": asdict(result.character_errors),
        "speaker": result.speaker,
        "duration": result.duration,
        "audio_filepath": None
        if result.audio_path is None
        else relative_path(result.audio_path, folder),
        "offset": result.offset,
        "byte_range": result.byte_range,
        "confidence": result.confidence,
        "words": [asdict(word) for word in result.words],
        "mapped_by": result.mapped_by,
        "unmapped": result.unmapped,
    }
    return {key: value for key, value in record.items() if value is not None}


def _to_result(record: Mapping[str, Any], folder: Path) -> Result:
    check_keys(record, ("id", "reference", "hypothesis"))
    id = get_name(record, "id")
    if id is None:
        raise InputError("id is empty, expected a name; correct the line")
    audio_path = get_name(record, "audio_filepath")
    known: dict[str, Any] = {
        "speaker": get_name(record, "speaker"),
        "audio_path": None if audio_path is None else folder / audio_path,
        "words": tuple(map(_to_span, _get_list(record, "words"))),
        "duration": _get_positive(record, "duration"),
        "offset": _get_positive(record, "offset"),
        "byte_range": get_byte_range(record),
        "confidence": _get_probability(record, "confidence"),
        "mapped_by": get_name(record, "mapped_by"),
        "unmapped": _get_unmapped(record),
    }
    reference = get_text(record, "reference")
    hypothesis = get_text(record, "hypothesis")
    if not hypothesis.split():
        known["confidence"] = None  # older results have that of their spaces
    scoring = get_name(record, "scoring") or DEFAULT_SCORING
    check_scoring(scoring)
    if record.get("alignment") is None:
        return make_result(id, reference, hypothesis, scoring, **known)
    alignment = tuple(map(_to_pair, _get_list(record, "alignment")))
    for text, key in ((reference, "reference"), (hypothesis, "hypothesis")):
        aligned = [
            word for pair in alignment if (word := getattr(pair, key)) is not None
        ]
        if aligned != text.split():
            raise InputError(
                f"the alignment holds {show(' '.join(aligned))}, expected the "
                f"{key} {show(text)}; remove the alignment, it will be made anew"
            )
    return Result(id, reference, hypothesis, scoring, alignment, **known)


def _get_list(record: Mapping[str, Any], key: str) -> list[Any]:
    value = record.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise InputError(f"{key} is {show(value)}, expected a list; correct the line")
    return value


def _get_unmapped(record: Mapping[str, Any]) -> tuple[str, str] | None:
    texts = _get_list(record, "unmapped")
    if not texts:
        return None
    if len(texts) != 2 or not all(isinstance(text, str) for text in texts):
        raise InputError(
            f"unmapped is {show(texts)}, expected the reference and the hypothesis "
            "before they were mapped; remove it"
        )
    return texts[0], texts[1]


def _get_positive(record: Mapping[str, Any], key: str) -> float | None:
    if record.get(key) is None:
        return None
    value = get_seconds(record, key)
    if value < 0:
        raise InputError(f"{key} is {value:g} s, expected 0 or more; correct the line")
    return value


def _get_probability(record: Mapping[str, Any], key: str) -> float | None:
    if record.get(key) is None:
        return None
    value = get_number(record, key, "a probability")
    if not 0 <= value <= 1:
        raise InputError(f"{key} is {value:g}, expected 0 to 1; correct the line")
    return value


def _to_pair(value: Any) -> AlignedPair:
    is_pair = isinstance(value, list) and len(value) == 2 and value != [None, None]
    if not is_pair or not all(word is None or isinstance(word, str) for word in value):
        raise InputError(
            f"the alignment holds {show(value)}, expected two words, or a word and "
            "null; remove the alignment, it will be made anew"
        )
    return AlignedPair(*value)


def _to_span(value: Any) -> Span:
    if not isinstance(value, dict):
        raise InputError(
            f"words holds {show(value)}, expected text, start, end and confidence; "
            "correct the line, or remove the words"
        )
    check_keys(value, ("text", "start", "end", "confidence"))
    start, end = get_seconds(value, "start"), get_seconds(value, "end")
    confidence: Any = _get_probability(value, "confidence")  # null is read, too
    return Span(get_text(value, "text"), start, end, confidence)
