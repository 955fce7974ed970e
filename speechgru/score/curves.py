"""Learning curves as a picture."""

from collections.abc import Mapping, Sequence
from io import BytesIO

from matplotlib.figure import Figure

PANELS = (
    ("WER on dev (%)", {"val/wer": "dev"}, 100.0, "linear"),
    ("loss", {"train/loss": "train", "val/loss": "dev"}, 1.0, "log"),
    ("learning rate", {"train/learning_rate": "at the epoch's end"}, 1.0, "linear"),
)
COLORS = {"train": "#D55E00", "dev": "#0072B2", "at the epoch's end": "#555555"}


def draw_curves(curves: Sequence[Mapping[str, float]], title: str) -> bytes:
    """Draw what a run has learned so far.

    Args:
        curves: as `read_learning_curves` gives them.
        title: of the picture.

    Returns:
        A PNG file.
    """
    figure = Figure((11, 3.2), layout="constrained")
    figure.suptitle(title, fontsize="medium")
    panels = figure.subplots(1, len(PANELS))
    for panel, (name, lines, scale, axis) in zip(panels, PANELS, strict=True):
        for key, label in lines.items():
            points = [
                (row["epoch"] + 1, scale * row[key]) for row in curves if key in row
            ]
            if points:
                panel.plot(
                    *zip(*points, strict=True), ".-", color=COLORS[label], label=label
                )
        panel.set_title(name, fontsize="medium")
        panel.set_xlabel("epoch")
        panel.set_yscale(axis)
        panel.grid(alpha=0.3)
        if axis == "linear":
            panel.set_ylim(bottom=0)
        if panel.get_legend_handles_labels()[0] and len(lines) > 1:
            panel.legend(frameon=False)
    content = BytesIO()
    figure.savefig(content, format="png", dpi=100)
    return content.getvalue()
