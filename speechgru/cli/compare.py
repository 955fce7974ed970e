"""`speechgru compare`: whether one system is better than another."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from speechgru.cli.config import read_command_line
from speechgru.cli.main import UsageError
from speechgru.files import printable, replace_file, to_json
from speechgru.options import CompareOptions
from speechgru.score.compare import (
    Comparison,
    check_comparable,
    compare,
    holm,
)
from speechgru.score.plain import hint_at_form
from speechgru.score.results import Result, read_results, rescore
from speechgru.score.summary import percent, summarise

USAGE = """
usage: speechgru compare RESULTS RESULTS [RESULTS ...] [KEY=VALUE ...]

Compare systems on the same utterances. RESULTS are what `evaluate` writes, or
lines of JSON with id, reference and hypothesis from any system. Prints each
pair's difference in WER with its 95 % interval (paired bootstrap), NIST's
matched-pairs sentence-segment test, the words that one system has right and the
other has not, and the utterances on which they differ most.
"""

SIGNIFICANT = 0.05

Systems = Mapping[str, Sequence[Result]]


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(
        CompareOptions, arguments, USAGE, (2, len(ascii_uppercase))
    )
    config = line.config
    show, resample = config["show"], config["resample"]
    paths = line.positional
    twice = [path for path, count in Counter(paths).items() if count > 1]
    if twice:
        raise UsageError(f"{twice[0]} is given twice, expected different results")
    if config["output"] in paths:
        raise UsageError(
            f"output is {config['output']}, which is to be compared; name another file"
        )
    by_path = {path: rescore(read_results(path), config["score"]) for path in paths}
    check_comparable(by_path)
    systems = dict(zip(ascii_uppercase, by_path.values(), strict=False))
    summaries = {
        name: summarise(results, resample) for name, results in systems.items()
    }
    pairs = {
        (first, second): compare(systems[first], systems[second], resample)
        for first, second in combinations(systems, 2)
    }
    adjusted = dict(
        zip(pairs, holm([pair.matched_pairs.p for pair in pairs.values()]), strict=True)
    )
    if config["output"]:  # before anything is printed
        record = {
            "systems": {
                name: {"path": path, **its.to_record()}
                for (name, its), path in zip(summaries.items(), paths, strict=True)
            },
            "pairs": [
                to_record(names, comparison, adjusted[names], systems)
                for names, comparison in pairs.items()
            ],
        }
        replace_file(Path(config["output"]), to_json(record, indent=2))
    summary = summaries["A"]
    print(
        f"{summary.num_utterances} utterances, {summary.words.counts.reference_length} "
        f"words aligned by {summary.scoring}; 95 % intervals by bootstrap over "
        f"{summary.resampled}s\n"
    )
    shown = [printable(path) for path in paths]
    width = max(map(len, shown))
    print(f"   {'system':{width}}     WER  [95 %]")
    for (name, its), path in zip(summaries.items(), shown, strict=True):
        rate = its.words
        print(
            f"{name}  {path:{width}} {percent(rate.counts.rate):>7}  "
            f"[{percent(rate.low)}, {percent(rate.high)}]"
        )
    for name, results in systems.items():
        if hint := hint_at_form(results):
            print(f"{name}: {hint}")
    for names, comparison in pairs.items():
        print(f"\n{describe(names, comparison, adjusted[names], len(pairs), show)}")
        print_differences(names, systems, show)
    if config["output"]:
        print(f"\neverything: {printable(config['output'])}")
    return 0


def describe(
    names: tuple[str, str],
    comparison: Comparison,
    adjusted: float | None,
    num_pairs: int,
    show: int,
) -> str:
    """Tell what the tests say of two systems."""
    first, second = names
    test = comparison.matched_pairs
    if test.p is None:
        verdict = "too few segments that differ to test"
    else:
        verdict = f"z {test.z:+.2f}, p {test.p:.2g}"
        if num_pairs > 1:
            verdict += f" (by Holm for {num_pairs} pairs: {adjusted:.2g})"
        better = first if test.z > 0 else second
        verdict += (
            f": {better} is better" if adjusted < SIGNIFICANT else ": no difference"
        )
        verdict += f" at the level of {SIGNIFICANT:.0%}"
    lines = [
        f"{second} - {first}: WER {_points(comparison.difference)} points "
        f"[{_points(comparison.low)}, {_points(comparison.high)}]; {second} is better "
        f"in {100 * comparison.improved:.1f} % of the draws",
        f"  matched pairs: {test.num_segments} segments with errors, {verdict}",
        f"  words: {comparison.both_right} right in both, "
        f"{comparison.only_first.total()} only in {first}, "
        f"{comparison.only_second.total()} only in {second}, "
        f"{comparison.both_wrong} in neither",
    ]
    for name, words in (
        (first, comparison.only_first),
        (second, comparison.only_second),
    ):
        if words and show:
            most = [f"{word} {count}" for word, count in words.most_common(show)]
            rest = len(words) - len(most)
            lines.append(
                f"  only in {name}: {', '.join(most)}"
                + (f" and {rest} other words" if rest else "")
            )
    return "\n".join(lines)


def print_differences(names: tuple[str, str], systems: Systems, show: int) -> None:
    """Print the utterances on which two systems differ most."""
    differing = differing_utterances(*(systems[name] for name in names))
    for ours, theirs in differing[:show]:
        print(f"\n  {printable(ours.id)}")
        print(f"    said        {ours.reference}")
        for name, result in zip(names, (ours, theirs), strict=True):
            print(f"    {name} {result.word_errors.edits:3} edits {result.hypothesis}")
    rest = len(differing) - show
    if rest > 0:
        print(f"\n  and {rest} more utterances that differ in edits; show=N shows more")


def differing_utterances(
    first: Sequence[Result], second: Sequence[Result]
) -> list[tuple[Result, Result]]:
    """Those with unequal numbers of edits, the largest difference first."""
    by_id = {result.id: result for result in second}
    pairs = [(result, by_id[result.id]) for result in first]

    def difference(pair: tuple[Result, Result]) -> int:
        return abs(pair[0].word_errors.edits - pair[1].word_errors.edits)

    return sorted(filter(difference, pairs), key=difference, reverse=True)


def to_record(
    names: tuple[str, str],
    comparison: Comparison,
    adjusted: float | None,
    systems: Systems,
) -> dict[str, Any]:
    """Plain values, for JSON."""
    first, second = names
    test = comparison.matched_pairs
    return {
        "first": first,
        "second": second,
        "difference": comparison.difference,
        "low": comparison.low,
        "high": comparison.high,
        "resampled": comparison.resampled,
        "improved": comparison.improved,
        "matched_pairs": {**vars(test), "p_holm": adjusted},
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
            for ours, theirs in differing_utterances(systems[first], systems[second])
        ],
    }


def _points(rate: float) -> str:
    return f"{100 * rate:+.2f}"
