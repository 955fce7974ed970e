"""What was measured, as tables, and whether it keeps what we promise."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple

PACKED, LOOP, OURS = "packed", "plain loop", "ours"
SHORT = 73
"""Frames; up to here we promise only that nothing is lost against packed."""


class Row(NamedTuple):
    """A line of a table: what was run, and the seconds of every column."""

    heads: tuple[object, ...]
    seconds: dict[str, list[float]]


def judge(rows: Sequence[Row]) -> list[tuple[bool, str]]:
    """Hold `measure_gru` to what we promise: whether each promise is kept."""
    promises = [
        (f"{LOOP}, every length", LOOP, 0.95, lambda length, batch: True),
        (f"{PACKED}, T <= {SHORT}", PACKED, 1, lambda length, batch: length <= SHORT),
        (f"{PACKED}, T = 584, B = 16", PACKED, 3.5,
         lambda length, batch: (length, batch) == (584, 16)),
    ]  # fmt: skip
    judgements = []
    for title, rival, least, applies in promises:
        speeds = [
            (_ratio(row.seconds[rival], row.seconds[OURS]), *row.heads)
            for row in rows
            if applies(*row.heads)
        ]
        text = f"ours against {title}: at least {least} times as fast: "
        if not speeds:
            judgements.append((True, f"{text}not measured"))
            continue
        slowest, length, batch = min(speeds)
        kept = slowest >= least
        text += "kept" if kept else "broken"
        judgements.append((kept, f"{text}; {slowest:.2f} at T = {length}, B = {batch}"))
    return judgements


def _ratio(seconds: Sequence[float], base: Sequence[float]) -> float:
    return statistics.median(seconds) / statistics.median(base)


def format_table(heads: Sequence[str], rows: Sequence[Row], base: str) -> str:
    """A Markdown table; all columns are compared with the column `base`."""
    if not rows:
        return "Not measured: no size of this table was asked for."
    columns = list(dict.fromkeys(name for row in rows for name in row.seconds))
    lines = [[*heads, *columns], ["---"] * (len(heads) + len(columns))]
    for row in rows:
        cells = []
        for name in columns:
            cell = format_seconds(row.seconds[name]) if name in row.seconds else "-"
            if name in row.seconds and name != base:
                cell += f", {_ratio(row.seconds[name], row.seconds[base]):.2f}x"
            cells.append(cell)
        lines.append([*map(str, row.heads), *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def format_seconds(seconds: Sequence[float]) -> str:
    """The median and half the interquartile range."""
    median = statistics.median(seconds)
    if len(seconds) == 1:
        return f"{median:.3g} once"
    low, _, high = statistics.quantiles(seconds, n=4, method="inclusive")
    return f"{median:.3g} ±{(high - low) / 2 / median:.0%}"
