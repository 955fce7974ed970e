"""Tables of errors, of one file of results."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from speechgru.factory import build_word_map
from speechgru.interfaces import InputError
from speechgru.options import ErrorsOptions
from speechgru.report.sources import find_results
from speechgru.report.training_words import count_training_words, load_tokenizer
from speechgru.score.breakdown import Breakdown, break_down
from speechgru.score.results import read_results, rescore
from speechgru.score.summary import Summary, summarise
from speechgru.score.word_map import map_results


@dataclass(frozen=True)
class Errors:
    """What a system's errors are.

    Attributes:
        name: what was scored.
        summary: the rates.
        breakdown: the errors.
    """

    name: str
    summary: Summary
    breakdown: Breakdown

    def to_record(self, show: int) -> dict[str, Any]:
        """Plain values, for JSON; `show` of the most frequent kinds of errors."""
        return {
            "name": self.name,
            **self.summary.to_record(),
            **self.breakdown.to_record(show),
        }


def find_errors(path: str | Path, options: ErrorsOptions | None = None) -> Errors:
    """Sort the errors of a file of results; nothing is printed or written.

    Args:
        path: the results, or a run folder that holds one file of them.
        options: how.

    Raises:
        InputError: there are no results or several, or a file is damaged.
    """
    options = options or ErrorsOptions()
    sources = find_results(Path(path))
    if len(sources) > 1:
        names = ", ".join(source.path.name for source in sources)
        raise InputError(f"{path}: holds {names}, expected one of them; name it")
    (source,) = sources
    word_map = build_word_map(options.word_map, options.trust)
    results = map_results(rescore(read_results(source.path), options.score), word_map)
    described = source.read_description()
    find_tokenizer = partial(
        load_tokenizer, source, described, options.checkpoint, options.trust
    )
    trained = count_training_words(source, options.train, find_tokenizer, word_map)
    name = source.path.stem
    if described is not None:
        name = f"{described['corpus']} {described['split']}"
    return Errors(
        name,
        summarise(results, options.resample),
        break_down(results, trained, options.resample),
    )
