"""Curves drawn in letters, for any terminal."""

from collections.abc import Sequence

from speechgru.score.axes import write_number
from speechgru.score.panels import Panel

MARKS = {"train": ".", "dev": "o", "other": "+"}
MARGIN = 8  # columns of the numbers beside it


def plot(panel: Panel, width: int, height: int) -> list[str]:
    """Draw a panel.

    Args:
        panel: the curves.
        width: columns, with the numbers; at least 20.
        height: lines between the title and the numbers below.

    Returns:
        height + 3 lines of `width` columns: title, curves, axis, epochs.
    """
    columns = width - MARGIN - 1
    cells = [[" "] * columns for _ in range(height)]
    labels = [""] * height
    for tick in panel.y.ticks:
        row = _row(panel.y.place(tick), height)
        labels[row] = labels[row] or write_number(tick)
    # The last one lies above the others.
    for line in sorted(panel.lines, key=lambda line: line.color == "dev"):
        for epoch, value in line.points:
            column = round(panel.x.place(epoch) * (columns - 1))
            cells[_row(panel.y.place(value), height)][column] = MARKS[line.color]
    keys = "  ".join(
        f"{MARKS[line.color]} {line.name} {line.points[-1][1]:.3g}"
        for line in panel.lines
    )
    title = f"{panel.title}  {keys}"
    drawn = [
        f"{label:>{MARGIN - 1}} |{''.join(row)}"
        for label, row in zip(labels, cells, strict=True)
    ]
    axis = f"{'':>{MARGIN}}+{'-' * columns}"
    below = _below(panel, columns)
    return [line[:width].ljust(width) for line in (title, *drawn, axis, below)]


def _row(share: float, height: int) -> int:
    return height - 1 - round(share * (height - 1))


def _below(panel: Panel, columns: int) -> str:
    """The numbers of epochs, each centred below its place."""
    line = [" "] * (MARGIN + 1 + columns)
    end = 0
    for tick in panel.x.ticks:
        text = str(tick)
        middle = MARGIN + 1 + round(panel.x.place(tick) * (columns - 1))
        start = min(middle - len(text) // 2, len(line) - len(text))
        if start > end:
            line[start : start + len(text)] = text
            end = start + len(text)
    line[:5] = "epoch"
    return "".join(line)


def side_by_side(
    blocks: Sequence[Sequence[str]], width: int, gap: int = 3
) -> list[str]:
    """Put blocks of lines beside each other as long as they fit, then below."""
    lines: list[str] = []
    row: list[Sequence[str]] = []
    used = 0
    for block in blocks:
        if row and used + gap + len(block[0]) > width:
            lines += _join(row, gap)
            row, used = [], 0
        used += len(block[0]) + (gap if row else 0)
        row.append(block)
    return [*lines, *_join(row, gap)] if row else lines


def _join(row: Sequence[Sequence[str]], gap: int) -> list[str]:
    return [(" " * gap).join(parts).rstrip() for parts in zip(*row, strict=True)]
