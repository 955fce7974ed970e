"""What `speechgru compare` prints."""

from collections.abc import Iterator, Sequence

from speechgru.files import printable
from speechgru.report.comparison import ComparedSystem, ComparedSystems, Pair
from speechgru.score.plain import hint_at_form
from speechgru.score.summary import percent

SIGNIFICANT = 0.05


def format_comparison(compared: ComparedSystems, show: int) -> str:
    """Tell how good the systems are, and what the tests say of each pair.

    Args:
        compared: by `compare_systems`.
        show: utterances on which two systems differ most, and words.
    """
    lines = [*_format_systems(compared.systems)]
    for pair in compared.pairs:
        lines += ["", *_format_pair(pair, len(compared.pairs), show)]
        lines += _format_differences(pair, show)
    return "\n".join(lines)


def _format_systems(systems: Sequence[ComparedSystem]) -> Iterator[str]:
    summary = systems[0].summary
    maps = sorted({each.summary.mapped_by or "no map" for each in systems})
    mapped = "" if maps == ["no map"] else f"mapped by {' and '.join(maps)}, "
    yield (
        f"{summary.num_utterances} utterances, {summary.words.counts.reference_length} "
        f"words {mapped}aligned by {summary.scoring}; 95 % intervals by bootstrap over "
        f"{summary.resampled}s"
    )
    yield ""
    shown = [printable(system.path) for system in systems]
    width = max(map(len, shown))
    yield f"   {'system':{width}}     WER  [95 %]"
    for system, path in zip(systems, shown, strict=True):
        rate = system.summary.words
        yield (
            f"{system.name}  {path:{width}} {percent(rate.counts.rate):>7}  "
            f"[{percent(rate.low)}, {percent(rate.high)}]"
        )
    for system in systems:
        if hint := hint_at_form(system.results):
            yield f"{system.name}: {hint}"


def _format_pair(pair: Pair, num_pairs: int, show: int) -> Iterator[str]:
    first, second, comparison = pair.first.name, pair.second.name, pair.comparison
    yield (
        f"{second} - {first}: WER {_points(comparison.difference)} points "
        f"[{_points(comparison.low)}, {_points(comparison.high)}]; {second} is better "
        f"in {100 * comparison.improved:.1f} % of the draws"
    )
    yield (
        f"  matched pairs: {comparison.matched_pairs.num_segments} segments with "
        f"errors, {_format_verdict(pair, num_pairs)}"
    )
    yield (
        f"  words: {comparison.both_right} right in both, "
        f"{comparison.only_first.total()} only in {first}, "
        f"{comparison.only_second.total()} only in {second}, "
        f"{comparison.both_wrong} in neither"
    )
    for name, words in (
        (first, comparison.only_first),
        (second, comparison.only_second),
    ):
        if words and show:
            most = [f"{word} {count}" for word, count in words.most_common(show)]
            rest = len(words) - len(most)
            yield (
                f"  only in {name}: {', '.join(most)}"
                + (f" and {rest} other words" if rest else "")
            )


def _format_verdict(pair: Pair, num_pairs: int) -> str:
    test = pair.comparison.matched_pairs
    if test.p is None:
        return "too few segments that differ to test"
    verdict = f"z {test.z:+.2f}, p {test.p:.2g}"
    if num_pairs > 1:
        verdict += f" (by Holm for {num_pairs} pairs: {pair.p_holm:.2g})"
    better = pair.first.name if test.z > 0 else pair.second.name
    found = f"{better} is better" if pair.p_holm < SIGNIFICANT else "no difference"
    return f"{verdict}: {found} at the level of {SIGNIFICANT:.0%}"


def _format_differences(pair: Pair, show: int) -> Iterator[str]:
    """The utterances on which two systems differ most."""
    differing = pair.differing()
    for ours, theirs in differing[:show]:
        yield ""
        yield f"  {printable(ours.id)}"
        yield f"    said        {ours.reference}"
        for system, result in ((pair.first, ours), (pair.second, theirs)):
            yield (
                f"    {system.name} {result.word_errors.edits:3} edits "
                f"{result.hypothesis}"
            )
    rest = len(differing) - show
    if rest > 0:
        yield ""
        yield f"  and {rest} more utterances that differ in edits; show=N shows more"


def _points(rate: float) -> str:
    return f"{100 * rate:+.2f}"
