"""How often each word was there to be learnt."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from speechgru.files import parse_object
from speechgru.interfaces import InputError, Tokenizer
from speechgru.records import get_text
from speechgru.report.sources import Source
from speechgru.score.word_map import WordMap
from speechgru.text.word_counts import WordCounts

OF_THE_RUN = "data.jsonl"
"""Of a run folder: on what it was trained."""


def count_training_words(
    source: Source,
    train: Path | None,
    tokenizer: Tokenizer | None,
    word_map: WordMap | None,
) -> Mapping[str, int] | None:
    """Count the words that a model was trained on, as the results have words.

    Args:
        source: the results.
        train: JSON Lines of texts, such as a manifest; None: those of the run folder
            that the results lie in.
        tokenizer: of the model, which normalises them; None: they stay as they are.
        word_map: that was applied to the results.

    Returns:
        None, if nothing is named and the results lie in no run folder.

    Raises:
        InputError: the file cannot be read, or has no texts.
    """
    path = train
    if path is None:
        if source.run is None or not (source.run / OF_THE_RUN).exists():
            return None
        path = source.run / OF_THE_RUN
    raw = WordCounts.of(_read_texts(path))
    counts: Counter[str] = Counter()
    for word, count in raw.counts.items():
        # What normalisation makes of a word does not depend on the words beside it.
        text = word if tokenizer is None else _normalise(tokenizer, word)
        for each in (text if word_map is None else word_map(text)).split():
            counts[each] += count
    if not counts:
        raise InputError(f"{path}: has no words, expected the texts of training")
    return counts


def _normalise(tokenizer: Tokenizer, word: str) -> str:
    try:
        return tokenizer.normalize(word)
    except InputError:  # an utterance that was skipped
        return ""


def _read_texts(path: Path) -> Iterator[str]:
    """The texts of training, line by line: there may be millions."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield from _text_of(path, number, line)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); set train=PATH to a manifest"
        ) from error


def _text_of(path: Path, number: int, line: bytes) -> Iterator[str]:
    try:
        record: dict[str, Any] = parse_object(line)
        # The list of a run holds dev as well, and noise without a text.
        if record.get("split", "train") == "train" and "text" in record:
            yield get_text(record, "text")
    except (InputError, ValueError) as error:
        raise InputError(
            f"{path}:{number}: {error}; expected a line of a manifest"
        ) from error
