"""The size of splits, and a table of it for the terminal."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from speechgru.data.validation.table import Table

COLUMNS = (
    ("split", ""),
    ("utterances", ""),
    ("hours", ""),
    ("speakers", ""),
    ("shortest", "s"),
    ("median", "s"),
    ("longest", "s"),
    ("tokens/s", ""),
    ("level", "dBFS"),
    ("silence", "%"),
    ("rate", "Hz"),
)
"""Of the table: name and unit."""


@dataclass(frozen=True)
class SplitSummary:
    """The size of a split, whether healthy or not, and what it sounds like.

    Attributes:
        utterances: how many.
        hours: h, as the manifest has it.
        speakers: how many different ones are named.
        durations: shortest, median, longest, in s.
        tokens_per_second: over the split; None without a tokenizer.
        level: dBFS, the median of the utterances; None: nothing could be decoded.
        silence: share of all time that is silent; None, too.
        rates: utterances by sample rate in Hz, the most common first.
    """

    utterances: int
    hours: float
    speakers: int
    durations: tuple[float, float, float]
    tokens_per_second: float | None
    level: float | None
    silence: float | None
    rates: Mapping[int, int]


def summarise(table: Table, num_speakers: int, num_tokens: int | None) -> SplitSummary:
    """Count what is in a split.

    Args:
        table: what is known of its utterances.
        num_speakers: how many different ones are named.
        num_tokens: in all transcripts; None: there is no tokenizer.
    """
    durations = table.durations if len(table.durations) else np.zeros(1)
    seconds = float(durations.sum())
    heard = table.heard[table.heard["sample_rate"] > 0]
    total = float(table.seconds.sum())
    silent = float((table.seconds * table.heard["silence"]).sum())
    return SplitSummary(
        utterances=len(table.durations),
        hours=seconds / 3600,
        speakers=num_speakers,
        durations=(
            float(durations.min()),
            float(np.median(durations)),
            float(durations.max()),
        ),
        tokens_per_second=(
            num_tokens / seconds if num_tokens is not None and seconds else None
        ),
        level=float(np.median(heard["level"])) if len(heard) else None,
        silence=silent / total if total else None,
        rates=dict(Counter(heard["sample_rate"].tolist()).most_common()),
    )


def make_summary_table(summaries: Mapping[str, SplitSummary]) -> list[str]:
    """Lines with a row for each split, and what the columns are above them."""
    rows = [tuple(column) for column in zip(*COLUMNS, strict=True)]
    rows += [describe(split, summary) for split, summary in summaries.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def describe(split: str, summary: SplitSummary) -> tuple[str, ...]:
    """The cells of a row; what is not known is a dash."""

    def show(value: float | None, decimals: int, factor: float = 1.0) -> str:
        return "-" if value is None else f"{factor * value:.{decimals}f}"

    rates = list(map(str, summary.rates))
    return (
        split,
        str(summary.utterances),
        f"{summary.hours:.3f}",
        str(summary.speakers),
        *(f"{duration:.2f}" for duration in summary.durations),
        show(summary.tokens_per_second, 1),
        show(summary.level, 1),
        show(summary.silence, 0, 100),
        "/".join(rates[:3]) + ("/..." if len(rates) > 3 else "") or "-",
    )
