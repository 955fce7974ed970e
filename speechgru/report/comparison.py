"""Whether one system is better than another, of several on the same utterances."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from speechgru.options import CompareOptions
from speechgru.ranges import OptionError
from speechgru.score.compare import Comparison, check_comparable, compare, holm
from speechgru.score.results import Result, read_results, rescore
from speechgru.score.summary import Summary, summarise
from speechgru.score.word_map import WordMap, map_results

MOST_SYSTEMS = len(ascii_uppercase)


@dataclass(frozen=True)
class ComparedSystem:
    """One of the systems.

    Attributes:
        name: a letter.
        path: of the results.
        results: of the utterances that all systems heard.
        summary: of the results.
    """

    name: str
    path: str
    results: Sequence[Result]
    summary: Summary


@dataclass(frozen=True)
class Pair:
    """Two systems beside each other.

    Attributes:
        first, second: the systems.
        comparison: of the second with the first.
        p_holm: of the matched-pairs test, corrected for the number of pairs; None:
            too few segments differ.
    """

    first: ComparedSystem
    second: ComparedSystem
    comparison: Comparison
    p_holm: float | None

    def differing(self) -> list[tuple[Result, Result]]:
        """Utterances with unequal numbers of edits, the largest difference first."""
        by_id = {result.id: result for result in self.second.results}
        pairs = [(result, by_id[result.id]) for result in self.first.results]

        def difference(pair: tuple[Result, Result]) -> int:
            return abs(pair[0].word_errors.edits - pair[1].word_errors.edits)

        return sorted(filter(difference, pairs), key=difference, reverse=True)

    def to_record(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        comparison = self.comparison
        return {
            "first": self.first.name,
            "second": self.second.name,
            "difference": comparison.difference,
            "low": comparison.low,
            "high": comparison.high,
            "resampled": comparison.resampled,
            "improved": comparison.improved,
            "matched_pairs": {**vars(comparison.matched_pairs), "p_holm": self.p_holm},
            "both_right": comparison.both_right,
            "both_wrong": comparison.both_wrong,
            "only_first": dict(comparison.only_first.most_common()),
            "only_second": dict(comparison.only_second.most_common()),
            "differing": [
                {
                    "id": ours.id,
                    "reference": ours.reference,
                    "first": ours.hypothesis,
                    "second": theirs.hypothesis,
                    "first_edits": ours.word_errors.edits,
                    "second_edits": theirs.word_errors.edits,
                }
                for ours, theirs in self.differing()
            ],
        }


@dataclass(frozen=True)
class ComparedSystems:
    """All systems, and all pairs of them."""

    systems: Sequence[ComparedSystem]
    pairs: Sequence[Pair]

    def to_record(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "systems": {
                system.name: {"path": system.path, **system.summary.to_record()}
                for system in self.systems
            },
            "pairs": [pair.to_record() for pair in self.pairs],
        }


def compare_systems(
    paths: Sequence[str | Path], options: CompareOptions | None = None
) -> ComparedSystems:
    """Compare systems on the same utterances; nothing is printed or written.

    Args:
        paths: of results, 2 to 26.
        options: `output` is only held against the paths.

    Raises:
        OptionError: results are given twice, or the output would overwrite some.
        InputError: results cannot be read, or are not of the same utterances.
    """
    options = options or CompareOptions()
    names = [str(path) for path in paths]
    _check_paths(names, options.output)
    word_map = _find_map(options)
    by_path = {
        path: map_results(rescore(read_results(path), options.score), word_map)
        for path in names
    }
    check_comparable(by_path)
    systems = [
        ComparedSystem(letter, path, results, summarise(results, options.resample))
        for letter, (path, results) in zip(
            ascii_uppercase, by_path.items(), strict=False
        )
    ]
    pairs = [*combinations(systems, 2)]
    comparisons = [
        compare(first.results, second.results, options.resample)
        for first, second in pairs
    ]
    adjusted = holm([each.matched_pairs.p for each in comparisons])
    return ComparedSystems(
        systems,
        [
            Pair(*pair, comparison, p)
            for pair, comparison, p in zip(pairs, comparisons, adjusted, strict=True)
        ],
    )


def _find_map(options: CompareOptions) -> WordMap | None:
    if options.word_map.target is None:
        return None
    from speechgru.factory import build_word_map  # loads torch

    return build_word_map(options.word_map, options.trust)


def _check_paths(paths: Sequence[str], output: Path | None) -> None:
    if not 2 <= len(paths) <= MOST_SYSTEMS:
        raise OptionError(f"{len(paths)} systems, expected 2 to {MOST_SYSTEMS}")
    twice = [path for path, count in Counter(paths).items() if count > 1]
    if twice:
        raise OptionError(f"{twice[0]} is given twice, expected different results")
    if output is not None and output.resolve() in {
        Path(path).resolve() for path in paths
    }:
        raise OptionError(
            f"output is {output}, which is to be compared; name another file"
        )
