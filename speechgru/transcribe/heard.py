"""Recordings and the words that were found in them, read from lines of jsonl."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from speechgru.data.manifest import to_utterance
from speechgru.data.sources.lines import read_objects
from speechgru.interfaces import InputError, Span, Utterance
from speechgru.records import check_keys, get_number, get_seconds, get_text, show


@dataclass(frozen=True)
class Heard:
    """A recording, or a part of one, and the words in it.

    Attributes:
        utterance: the whole of it.
        words: in order of time, whose times count from the start of the recording.
    """

    utterance: Utterance
    words: Sequence[Span]

    @property
    def end(self) -> float:
        """s from the start of the recording."""
        return self.utterance.offset + self.utterance.duration


def read_heard(path: Path) -> Iterator[Heard]:
    """What `transcribe` or `align` wrote as jsonl.

    Raises:
        InputError: it cannot be read, or a line does not say its words.
    """
    for place, record in read_objects(path, "transcripts of format=jsonl"):
        try:
            yield _read_line(record, path.parent)
        except InputError as error:
            raise InputError(f"{place}: {error}") from error


def _read_line(record: dict[str, Any], folder: Path) -> Heard:
    if not isinstance(record.get("words"), list):
        raise InputError(
            "holds no list of words, expected what speechgru transcribe or align "
            "writes with format=jsonl; write it so"
        )
    if record.get("channel") is not None:
        raise InputError(
            f"was heard in channel {show(record['channel'])} alone, expected a "
            "recording whose channels are averaged, as in training; write the channel "
            "to a file of its own, and transcribe that"
        )
    heard = Heard(to_utterance(record, folder), [*map(_read_word, record["words"])])
    # A word may begin with the last frame, which may begin behind the sound.
    starts = [heard.utterance.offset, *(word.start for word in heard.words)]
    ordered = all(before <= after for before, after in pairwise(starts))
    if not ordered or starts[-1] > heard.end + 1:
        raise InputError(
            "has words that are not in order of time, or not within the recording; "
            "write it anew by speechgru transcribe or align"
        )
    return heard


def _read_word(word: Any) -> Span:
    if not isinstance(word, dict):
        raise InputError(f"{show(word)} is no word, expected an object")
    check_keys(word, ("text", "start", "end", "confidence"))
    span = Span(
        get_text(word, "text"),
        get_seconds(word, "start"),
        get_seconds(word, "end"),
        get_number(word, "confidence", "a probability"),
    )
    if not span.start <= span.end or not 0 <= span.confidence <= 1:
        raise InputError(
            f"{show(word)} ends before it starts, or its confidence is no probability; "
            "write it anew"
        )
    return span
