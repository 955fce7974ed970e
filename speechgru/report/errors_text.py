"""Tables of errors in Markdown, which are legible as they are, too."""

from collections.abc import Iterator, Mapping, Sequence

from speechgru.files import printable
from speechgru.report.errors import Errors
from speechgru.score.breakdown import Confusions, describe_unseen, first
from speechgru.score.summary import Rate, percent

NOTHING = "(nothing)"
SPACE = "(space)"


def format_errors(errors: Errors, show: int) -> str:
    """Write all tables, each below its heading.

    Args:
        errors: of a system.
        show: rows of the tables of confusions.
    """
    summary, breakdown = errors.summary, errors.breakdown
    counts = summary.words.counts
    lines = [
        f"{printable(errors.name)}: {summary.num_utterances} utterances, WER "
        f"{summary.words}, CER {summary.characters}; {counts.substitutions} words "
        f"taken for others, {counts.deletions} lost, {counts.insertions} invented"
    ]
    if breakdown.by_frequency:
        head = ("in training", "words", "not heard, %", "95 %")
        lines += _section("Words by how often training has them", head)
        lines += _rates(breakdown.by_frequency)
    if breakdown.unseen is not None:
        lines += ["", describe_unseen(breakdown.unseen)]
    head = ("words said", "words", "WER, %", "95 %")
    lines += _section("Utterances by length", head)
    lines += _rates(summary.by_length)
    if summary.by_speaker:
        worst_first = sorted(
            summary.by_speaker.items(), key=lambda item: -item[1].counts.rate
        )
        lines += _section("Speakers", ("speaker", "words", "WER, %", "95 %"))
        lines += _rates(dict(worst_first))
    for unit, found in (
        ("words", breakdown.words),
        ("characters", breakdown.characters),
    ):
        if found and show:
            title = f"{unit.capitalize()} confused most: {_rest(found, show)}"
            lines += _section(title, ("said", "heard", "times"))
            lines += _confusions(found, show)
    return "\n".join(lines)


def _section(title: str, head: Sequence[str]) -> list[str]:
    return ["", f"### {title}", "", _row(head), _row(["---"] * len(head))]


def _rates(rates: Mapping[str, Rate]) -> Iterator[str]:
    for name, rate in rates.items():
        counts = rate.counts
        interval = f"[{percent(rate.low)}, {percent(rate.high)}]"
        yield _row((name, f"{counts.reference_length}", percent(counts.rate), interval))


def _rest(found: Confusions, show: int) -> str:
    return f"{min(show, len(found))} of {len(found)} kinds, {found.total()} errors"


def _confusions(found: Confusions, show: int) -> Iterator[str]:
    for pair, count in first(found, show):
        yield _row((*map(_name, pair), f"{count}"))


def _name(text: str | None) -> str:
    return NOTHING if text is None else SPACE if text == " " else text


def _row(cells: Sequence[str]) -> str:
    shown = (printable(cell).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(shown)} |"
