"""Learning curves as a picture."""

from collections.abc import Mapping, Sequence
from io import BytesIO

from matplotlib.figure import Figure

from speechgru.score.axes import write_number
from speechgru.score.panels import make_panels

# Told apart by everybody (Okabe and Ito), and by their dashes without any colour.
COLORS = {"train": "#D55E00", "dev": "#0072B2", "other": "#555555"}
DASHES = {"train": "--", "dev": "-", "other": ":"}
TITLE_WIDTH = 110
"""Characters of a title that fit above the panels."""


def draw_curves(curves: Sequence[Mapping[str, float]], title: str) -> bytes:
    """Draw what a run has learned so far.

    Args:
        curves: as `read_learning_curves` gives them.
        title: of the picture.

    Returns:
        A PNG file.
    """
    panels = make_panels(curves)
    figure = Figure((11, 3.2), layout="constrained")
    # A path's end tells more than its beginning; $ would be a formula.
    shown = title if len(title) <= TITLE_WIDTH else f"…{title[1 - TITLE_WIDTH :]}"
    figure.suptitle(shown, fontsize="medium", parse_math=False)
    if not panels:
        figure.text(0.5, 0.5, "no epoch is done yet", ha="center")
    places = figure.subplots(1, max(1, len(panels)), squeeze=False)[0]
    if not panels:
        places[0].set_axis_off()
    for place, panel in zip(places, panels, strict=False):
        for line in panel.lines:
            place.plot(
                *zip(*line.points, strict=True),
                DASHES[line.color],
                marker="." if len(line.points) <= 50 else "",
                color=COLORS[line.color],
                label=line.name,
                clip_on=False,  # what lies on the frame is seen whole
            )
        place.set_title(panel.title, fontsize="medium")
        place.set_xlabel("epoch")
        place.set_xlim(panel.x.low, panel.x.high)
        place.set_yscale("log" if panel.y.is_log else "linear")
        place.set_ylim(panel.y.low, panel.y.high)
        place.minorticks_off()
        place.set_xticks(panel.x.ticks)
        place.set_yticks(panel.y.ticks, [write_number(tick) for tick in panel.y.ticks])
        place.grid(alpha=0.3)
        if len(panel.lines) > 1:
            place.legend(frameon=False)
    content = BytesIO()
    figure.savefig(content, format="png", dpi=100)
    return content.getvalue()
