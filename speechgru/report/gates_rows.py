"""The rows of the picture that `speechgru gates` draws, each over time in s."""

from collections.abc import Sequence

import torch
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from torch import Tensor

from speechgru.interfaces import BLANK
from speechgru.model.encoders.gru_cell import GRUTrace

# Okabe and Ito's palette, whose colours the colour-blind can tell apart.
UPDATE_COLOR, RESET_COLOR = "#0072B2", "#D55E00"
TOKEN_COLORS = ("#009E73", "#D55E00", "#0072B2", "#CC79A7", "#E69F00", "#56B4E9")
WORD_COLOR = "#FAF0C8"

DIRECTION_STYLES = {"forward": "-", "backward": ":"}
BLANK_STYLE = {"color": "black", "linewidth": 1, "linestyle": "--"}
FEATURE_AXES = {"LogMel": ("mel band", "ln energy"), "MFCC": ("coefficient", "value")}


def draw_waveform(row: Axes, waveform: Tensor, sample_rate: int) -> None:
    """Draw (S,) samples at a rate in Hz."""
    times = torch.arange(len(waveform)) / sample_rate
    # Pixels in pdf and svg, too: a million samples would make them huge.
    row.plot(times, waveform, color="black", linewidth=0.4, rasterized=True)
    row.set_ylabel("amplitude\n(-1 to 1)")


def draw_features(row: Axes, features: Tensor, hop: float, name: str) -> None:
    """Draw (T, F) features, a frame every `hop` s, beside their scale."""
    # A few extreme values would leave one colour to all the others.
    low, high = features.quantile(torch.tensor([0.01, 0.99])).tolist()
    num_frames, num_features = features.shape
    image = row.imshow(
        features.T.numpy(),
        origin="lower",
        aspect="auto",
        cmap="viridis",
        interpolation="nearest",
        vmin=low,
        vmax=high,
        # A frame is centred on its time.
        extent=(-hop / 2, (num_frames - 0.5) * hop, 0, num_features),
    )
    axis, unit = FEATURE_AXES.get(name, ("feature", "value"))
    row.set_ylabel(f"{name}\n({axis})")
    row.figure.colorbar(image, cax=row.inset_axes((1.01, 0, 0.01, 1)), label=unit)


def draw_gates(
    row: Axes, traces: Sequence[GRUTrace], times: Tensor, layer: int
) -> None:
    """Draw the mean gates of a layer.

    Args:
        traces: (T, H) each, forward, then backward if the layer has it.
        times: (T,) s.
        layer: its number, from 1.
    """
    for trace, style in zip(traces, DIRECTION_STYLES.values(), strict=False):
        row.plot(times, trace.update.mean(dim=1), style, color=UPDATE_COLOR)
        row.plot(times, trace.reset.mean(dim=1), style, color=RESET_COLOR)
    row.set_ylim(0, 1)
    row.set_yticks([0, 0.5, 1])
    row.set_ylabel(f"layer {layer}\ngates")


def draw_tokens(
    row: Axes, probabilities: Tensor, times: Tensor, drawn: dict[int, str]
) -> None:
    """Draw the probabilities of the blank and of some tokens.

    Args:
        probabilities: (T, C).
        times: (T,) s.
        drawn: colours by token id.
    """
    row.plot(times, probabilities[:, BLANK], **BLANK_STYLE)
    for token_id, color in drawn.items():
        row.plot(times, probabilities[:, token_id], color=color)
    row.set_ylim(0, 1.03)
    row.set_yticks([0, 0.5, 1])
    row.set_ylabel("probability\nof tokens")


def mark_word(row: Axes, start: float, end: float) -> None:
    """Mark a word from s to s: behind the lines, or by its edges on an image."""
    if row.images:
        row.axvline(start, color="white", linewidth=1, linestyle=":")
        row.axvline(end, color="white", linewidth=1, linestyle=":")
    else:
        row.axvspan(start, end, color=WORD_COLOR, linewidth=0, zorder=0)


def explain_gates(row: Axes, traces: Sequence[GRUTrace]) -> None:
    """Say what the lines of `draw_gates` mean."""
    gates = {"update z (1 = keep)": UPDATE_COLOR, "reset r (0 = forget)": RESET_COLOR}
    signs = [Line2D([], [], color=color, label=name) for name, color in gates.items()]
    styles = list(DIRECTION_STYLES.items())[: len(traces)]
    signs += [
        Line2D([], [], color="black", linestyle=style, label=direction)
        for direction, style in styles
    ]
    num_units = traces[0].update.size(1)
    _explain(row, f"h' = (1 - z) n + z h\nmeans of {num_units} units:", signs)


def explain_tokens(row: Axes) -> None:
    """Say what the lines of `draw_tokens` mean, and the marks of the words."""
    blank = Line2D([], [], **BLANK_STYLE, label="blank: no token")
    word = Patch(color=WORD_COLOR, label="a word")
    _explain(row, "tokens heard (␣ is the space)", [blank, word])


def _explain(row: Axes, title: str, signs: Sequence[Artist]) -> None:
    # To the right of the row, where nothing lies under it.
    row.legend(
        handles=signs,
        title=title,
        loc="upper left",
        bbox_to_anchor=(1, 1),
        frameon=False,
        fontsize=9,
        title_fontsize=9,
        alignment="left",
    )
