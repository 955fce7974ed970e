"""The two plots of README.md, from lines of results.jsonl."""

from collections.abc import Sequence
from statistics import fmean, median

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from planned import ENCODERS, MAX_DISTANCE, wer
from tables import MATCHINGS, NAMES, TITLES, Line, groups, mean_reach, pooled_counts

from speechgru.score.bootstrap import bootstrap_interval

# Okabe and Ito's palette, whose colours the colour-blind can tell apart.
COLORS = dict(
    zip(NAMES, ("#000000", "#D55E00", "#0072B2", "#009E73", "#CC79A7"), strict=True)
)
MARKERS = {"hidden": "s", "parameters": "o"}


def plot_accuracy(lines: Sequence[Line]) -> Figure:
    """Test WER over the cost of an epoch, a panel for each corpus."""
    found = groups(lines)
    figure = Figure((4 * len(ENCODERS) + 1.5, 3.8), layout="constrained")
    panels = figure.subplots(1, len(ENCODERS))
    for panel, corpus in zip(panels, ENCODERS, strict=True):
        for (name, matching, encoder), runs in found.items():
            if name == corpus:
                _plot_point(panel, matching, encoder, runs)
        panel.set_title(TITLES[corpus])
        panel.set_xlabel("CPU seconds per epoch")
        panel.set_xlim(0, 1.08 * panel.get_xlim()[1])
        panel.set_ylim(bottom=0)
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("test WER (%), 95 % interval")
    signs = [
        Line2D([], [], color=COLORS[name], marker="o", label=NAMES[name])
        for name in NAMES
    ]
    signs += [
        Line2D(
            [],
            [],
            color="gray",
            marker=marker,
            linewidth=0,
            label=f"equal {MATCHINGS[name]}",
        )
        for name, marker in MARKERS.items()
    ]
    figure.legend(handles=signs, loc="outside right upper", frameon=False)
    return figure


def _plot_point(panel: Axes, matching: str, encoder: str, runs: Sequence[Line]) -> None:
    cost = median(run["cpu_seconds_per_epoch"] for run in runs)
    rates = [100 * wer(run, "test") for run in runs]
    low, high = (100 * bound for bound in bootstrap_interval(pooled_counts(runs)))
    mean = fmean(rates)
    panel.errorbar(
        cost, mean, [[mean - low], [high - mean]], color=COLORS[encoder],
        marker=MARKERS[matching], capsize=3,
    )  # fmt: skip
    panel.plot([cost] * len(rates), rates, "_", color=COLORS[encoder], alpha=0.6)


def plot_reach(lines: Sequence[Line]) -> Figure:
    """The gradient's norm over the distance, at equal parameters."""
    found = groups(lines)
    figure = Figure((10.5, 3.8), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for panel, moment in zip(panels, ("start", "end"), strict=True):
        for encoder in NAMES:
            runs = found.get(("fsdd-unseen", "parameters", encoder))
            if not runs:
                continue
            curves = [10 ** np.array(run["gradient_reach"][moment]) for run in runs]
            panel.plot(
                10 ** mean_reach(runs, moment), color=COLORS[encoder],
                label=NAMES[encoder],
            )  # fmt: skip
            panel.fill_between(
                range(MAX_DISTANCE + 1), np.min(curves, axis=0),
                np.max(curves, axis=0), color=COLORS[encoder], alpha=0.15, linewidth=0,
            )  # fmt: skip
        panel.set_title(f"at the {moment} of training")
        panel.set_xlabel("frames back (30 ms each)")
        panel.set_yscale("log")
        panel.set_ylim(1e-12, 30)
        panel.set_xlim(0, MAX_DISTANCE)
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("norm of d loss / d state,\nrelative to the frame itself")
    panels[0].legend(frameon=False, loc="upper right")
    return figure
