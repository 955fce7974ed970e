"""Whether one system is better than another, from Python."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from speechgru.score.compare import Comparison, check_comparable
from speechgru.score.compare import compare as compare_results
from speechgru.score.results import Result, read_results

Results = str | Path | Sequence[Result]
"""The file that `evaluate` writes, or what is in it."""


def compare(
    first: Results,
    second: Results,
    resample: Literal["utterance", "speaker"] | None = None,
) -> Comparison:
    """Compare two systems on the same utterances.

    Args:
        first, second: results, or files of them.
        resample: what intervals are drawn from; None: speakers, if 10 are known.

    Returns:
        The difference in WER, second minus first, with its interval by paired
        bootstrap, and the matched-pairs test.

    Raises:
        InputError: a file cannot be read, or the utterances are not the same.
    """
    systems = {"first": _read(first), "second": _read(second)}
    check_comparable(systems)
    return compare_results(systems["first"], systems["second"], resample)


def _read(results: Results) -> Sequence[Result]:
    if isinstance(results, (str, Path)):
        return read_results(results)
    return results
