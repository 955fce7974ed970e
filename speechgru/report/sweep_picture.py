"""A sweep as a picture: the score against each option that was swept."""

from collections.abc import Sequence
from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from speechgru.report.sweep import SweptRun, find_best, find_swept

WIDTH, HEIGHT = 3.6, 3.4  # inches, of a panel
COLUMNS = 3
COLOR, BEST_COLOR = "#0072B2", "#D55E00"


def draw_sweep(runs: Sequence[SweptRun], title: str) -> bytes:
    """Draw the runs that have a score.

    Args:
        runs: of a sweep.
        title: of the picture.

    Returns:
        A PNG file.
    """
    swept = find_swept(runs) or ["run"]
    columns = min(COLUMNS, len(swept))
    rows = -(-len(swept) // columns)
    figure = Figure((max(WIDTH * columns, 5), HEIGHT * rows), layout="constrained")
    scored = [run for run in runs if run.ended and run.score is not None]
    others = len(runs) - len(scored)
    note = f"; {others} without a score" if others else ""
    figure.suptitle(f"{title}{note}", fontsize="medium", parse_math=False)
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for panel, key in zip(panels, swept, strict=False):
        _draw_option(panel, scored, key)
    for panel in list(panels)[len(swept) :]:
        panel.set_axis_off()
    content = BytesIO()
    figure.savefig(content, format="png", dpi=100)
    return content.getvalue()


def _draw_option(panel: Axes, scored: Sequence[SweptRun], key: str) -> None:
    texts = [run.overrides.get(key, str(run.number)) for run in scored]
    numbers = [_number(text) for text in texts]
    places = [number for number in numbers if number is not None]
    if len(places) < len(texts):  # choices, each at a place of its own
        names = list(dict.fromkeys(texts))
        places = [float(names.index(text)) for text in texts]
        panel.set_xticks(range(len(names)), names, rotation=20, parse_math=False)
    elif places and min(places) > 0 and max(places) >= 10 * min(places):
        panel.set_xscale("log")
    best = find_best(scored)
    for run, place in zip(scored, places, strict=True):
        is_loss = (run.score_name or "").endswith("loss")
        score = (run.score or 0.0) * (1 if is_loss else 100)
        color = BEST_COLOR if run is best else COLOR
        marker = "*" if run is best else "o"
        panel.plot(place, score, marker, color=color, zorder=3 if run is best else 2)
    scores = dict.fromkeys(run.score_name for run in scored if run.score_name)
    label = " ".join(name.rpartition("/")[2] for name in scores)
    panel.set_ylabel(f"dev {label}" + ("" if label == "loss" else " (%)"))
    panel.set_xlabel(key, parse_math=False)
    panel.grid(alpha=0.3)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
