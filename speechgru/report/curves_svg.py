"""Learning curves as SVG, for pages."""

from collections.abc import Mapping, Sequence
from html import escape

from speechgru.score.axes import write_number
from speechgru.score.panels import Panel, make_panels

WIDTH, HEIGHT = 460, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 44, 40

STYLE = """
.curves {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr));
  gap: 1.5rem;
}
.curves svg { width: 100%; height: auto; }
.curves text { fill: var(--quiet); font-size: 13px; }
.curves .title { fill: var(--ink); font-weight: 600; }
.curves .grid { stroke: var(--line); }
.curves polyline { fill: none; stroke-width: 2; }
.curves .train { stroke: var(--S); stroke-dasharray: 6 3; }
.curves .dev { stroke: var(--D); }
.curves .other { stroke: var(--quiet); stroke-dasharray: 2 3; }
.curves circle { stroke: none; }
.curves circle.train { fill: var(--S); }
.curves circle.dev { fill: var(--D); }
.curves circle.other { fill: var(--quiet); }
"""
"""Of a page, which has the colours --S, --D, --ink, --quiet and --line."""


def draw_svgs(curves: Sequence[Mapping[str, float]]) -> str:
    """Draw what a run has learned so far: an <svg> for each panel, or nothing.

    Args:
        curves: as `read_learning_curves` gives them.
    """
    return "".join(_draw(panel) for panel in make_panels(curves))


def _draw(panel: Panel) -> str:
    def x(epoch: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * panel.x.place(epoch), 1)

    def y(value: float) -> float:
        return round(
            HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * panel.y.place(value), 1
        )

    scale = ", logarithmic" if panel.y.is_log else ""
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(panel.title)} over epochs{scale}">',
        f'<text class="title" x="0" y="14">{escape(panel.title)}</text>',
    ]
    for tick in panel.y.ticks:
        at = y(tick)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at}" y2="{at}"/>'
            f'<text x="{LEFT - 6}" y="{at + 4}" text-anchor="end">'
            f"{write_number(tick)}</text>"
        )
    for tick in panel.x.ticks:
        parts.append(
            f'<text x="{x(tick)}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">'
            f"{tick}</text>"
        )
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" '
        'text-anchor="middle">epoch</text>'
    )
    name_at = LEFT
    for line in panel.lines:
        points = " ".join(f"{x(epoch)},{y(value)}" for epoch, value in line.points)
        parts.append(f'<polyline class="{line.color}" points="{points}"/>')
        epoch, value = line.points[-1]
        parts.append(
            f'<circle class="{line.color}" cx="{x(epoch)}" cy="{y(value)}" r="3.5">'
            f"<title>{escape(line.name)}, epoch {epoch:.0f}: {value:.4g}</title>"
            "</circle>"
        )
        # The last value stands where nothing can cover it: in the legend.
        shown = f"{line.name} {value:.3g}"
        parts.append(
            f'<line class="{line.color}" x1="{name_at}" x2="{name_at + 22}" y1="28" '
            f'y2="28" stroke-width="2"/>'
            f'<text x="{name_at + 28}" y="32">{escape(shown)}</text>'
        )
        name_at += 28 + 8 * len(shown) + 16
    return "".join([*parts, "</svg>"])
