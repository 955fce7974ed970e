"""How often each word was there to be learnt."""

import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from speechgru.checkpoint.load import load_checkpoint
from speechgru.data.manifest_lines import read_blocks
from speechgru.files import parse_object, printable, reason, skip_mark
from speechgru.interfaces import InputError, Tokenizer
from speechgru.progress import say_line
from speechgru.records import get_text
from speechgru.report.sources import Source
from speechgru.score.word_map import WordMap
from speechgru.text.word_counts import WordCounts

OF_THE_RUN = "data.jsonl"
"""Of a run folder: on what it was trained."""


def count_training_words(
    source: Source,
    train: Path | None,
    find_tokenizer: Callable[[], Tokenizer | None],
    word_map: WordMap | None,
) -> Mapping[str, int] | None:
    """Count the words that a model was trained on, as the results have words.

    Args:
        source: the results.
        train: JSON Lines of texts, such as a manifest; None: those of the run folder
            that the results lie in.
        find_tokenizer: gives that of the model, which normalises them; None: they stay
            as they are.
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
    tokenizer = find_tokenizer()
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


def load_tokenizer(
    source: Source,
    described: Mapping[str, Any] | None,
    checkpoint: Path | None,
    trust: Sequence[str],
) -> Tokenizer | None:
    """That of the checkpoint that made the results; where it is gone, that is said.

    Args:
        source: the results.
        described: how they were made, where known.
        checkpoint: another one, or the same in another place; None: none is named.
        trust: modules of the user's own.
    """
    path = checkpoint
    if path is None:
        if described is None:
            return None
        path = source.path.parent / str(described["checkpoint"])
        if not path.exists():
            say_line(
                printable(
                    f"{path}: is gone, so the words of training are counted as they "
                    "are written; name it by checkpoint=PATH"
                )
            )
            return None
    return load_checkpoint(path, trust).tokenizer


def _normalise(tokenizer: Tokenizer, word: str) -> str:
    try:
        return tokenizer.normalize(word)
    except InputError:  # an utterance that was skipped
        return ""


def _read_texts(path: Path) -> Iterator[str]:
    """The texts of training, line by line: there may be millions."""
    try:
        lines = chain.from_iterable(block for _, block in read_blocks(path))
        for number, line in enumerate(lines, 1):
            text = skip_mark(line, path)[1] if number == 1 else line
            if text.strip():
                yield from _text_of(path, number, text)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(
            f"{path}: cannot be read ({reason(error)}); set train=PATH to a manifest"
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
