"""Histograms as pictures inside a page: SVG that needs no script."""

from html import escape
from itertools import cycle, pairwise

from speechgru.data.validation.histograms import Histogram

WIDTH, HEIGHT = 380, 170
LEFT, RIGHT, TOP, BOTTOM = 40, 10, 8, 34
COLORS = ("var(--accent)", "var(--S)", "var(--I)", "var(--good)", "var(--quiet)")
"""Of splits, in their order."""
MOST_TICKS = 9


def draw_histogram(histogram: Histogram) -> str:
    """Draw the share of the utterances of each split in each bin, as SVG."""
    shares = {
        split: [100 * count / max(sum(counts), 1) for count in counts]
        for split, counts in histogram.counts.items()
    }
    top = max((max(each) for each in shares.values()), default=0.0) or 1.0
    num_bins = len(histogram.edges) - 1
    bin_width = (WIDTH - LEFT - RIGHT) / num_bins
    bottom = HEIGHT - BOTTOM

    def x(place: float) -> float:
        return LEFT + place * bin_width

    def y(share: float) -> float:
        return bottom - (bottom - TOP) * share / top

    parts = [
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(share):.1f}" '
        f'y2="{y(share):.1f}" stroke="var(--line)"/>'
        f'<text x="{LEFT - 5}" y="{y(share) + 4:.1f}" text-anchor="end">{share:.3g}'
        "</text>"
        for share in (0.0, top / 2, top)
    ]
    step = -(-(num_bins + 1) // MOST_TICKS)
    for place in range(0, num_bins + 1, step):
        parts.append(
            f'<text x="{x(place):.1f}" y="{bottom + 14}" text-anchor="middle">'
            f"{escape(_number(histogram.edges[place]))}</text>"
        )
    for color, (split, each) in zip(cycle(COLORS), shares.items(), strict=False):
        path = f"M{x(0):.1f} {y(0):.1f}" + "".join(
            f"V{y(share):.1f}H{x(place + 1):.1f}" for place, share in enumerate(each)
        )
        parts.append(
            f'<path d="{path}V{y(0):.1f}Z" fill="{color}" fill-opacity="0.15" '
            f'stroke="{color}" stroke-width="1.5"><title>{escape(split)}</title></path>'
        )
    # What a bin holds is told where the pointer is.
    for place, (low, high) in enumerate(pairwise(histogram.edges)):
        counts = ", ".join(
            f"{split} {each[place]}" for split, each in histogram.counts.items()
        )
        said = f"{_number(low)} to {_number(high)} {histogram.unit}: {counts}"
        parts.append(
            f'<rect x="{x(place):.1f}" y="{TOP}" width="{bin_width:.2f}" '
            f'height="{bottom - TOP}" fill="transparent"><title>{escape(said)}</title>'
            "</rect>"
        )
    label = escape(f"{histogram.name}, {histogram.unit}")
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
        + "".join(parts)
        + f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 4}" '
        f'text-anchor="middle">{escape(histogram.unit)}</text></svg>'
    )


def _number(value: float) -> str:
    """An edge, which is a tiny number where only 0 lies below it."""
    return ">0" if 0 < value < 1e-6 else f"{value:g}"
