"""What an evaluation found, in words."""

from collections.abc import Mapping

from speechgru.files import printable
from speechgru.score.summary import Rate, Summary, percent

_LONGEST = 24
"""Characters of a name in a table."""


def describe(summary: Summary, title: str) -> str:
    """Name the rates, their intervals and what they are made of.

    Args:
        summary: of the results.
        title: what was scored.
    """
    minutes = (
        "" if summary.duration is None else f", {summary.duration / 60:.1f} minutes"
    )
    wrong = summary.sentences.counts
    lines = [f"{title}: {summary.num_utterances} utterances{minutes}"]
    for name, unit, rate in (
        ("WER", "words", summary.words),
        ("CER", "characters", summary.characters),
    ):
        total = rate.counts
        lines.append(
            f"{name} {rate}: {total.edits} edits in {total.reference_length} {unit} "
            f"({total.substitutions} S, {total.deletions} D, {total.insertions} I)"
        )
    lines.append(
        f"SER {summary.sentences}: {wrong.edits} of {summary.num_utterances} "
        "utterances have an error"
    )
    mapped = "" if summary.mapped_by is None else f"mapped by {summary.mapped_by}, "
    lines.append(
        f"words {mapped}aligned by {summary.scoring}; 95 % intervals by bootstrap over "
        f"{summary.resampled}s"
        + ("; those of the tables over utterances" * (summary.resampled == "speaker"))
    )
    if (known := summary.calibration) is not None:
        lines.append(
            f"confidence of words: {percent(known.confidence)} % on average, where "
            f"{percent(known.accuracy)} % are right; expected calibration error "
            f"{percent(known.error)} %"
        )
    tables = (("speaker", summary.by_speaker), ("words said", summary.by_length))
    for title, rates in tables:
        if len(rates) > 1:
            lines += ["", *_table(title, rates)]
    return "\n".join(lines)


def _table(title: str, rates: Mapping[str, Rate]) -> list[str]:
    rows = [(_shorten(printable(name)), rate) for name, rate in rates.items()]
    width = max(len(title), *(len(name) for name, _ in rows))
    lines = [f"{title:{width}}   words     WER  [95 %]"]
    for name, rate in rows:
        lines.append(
            f"{name:{width}} {rate.counts.reference_length:7} "
            f"{percent(rate.counts.rate):>7}  [{percent(rate.low)}, "
            f"{percent(rate.high)}]"
        )
    return lines


def _shorten(name: str) -> str:
    """A name that leaves room for numbers; those of Common Voice have 128 digits."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 3]}..."
