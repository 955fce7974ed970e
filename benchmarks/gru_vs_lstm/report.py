"""Make the table and the two plots of README.md from results.jsonl."""

import json
import math
import re
from collections.abc import Callable, Sequence
from statistics import fmean, median
from typing import Any

import numpy as np
from experiment import (
    CHOSEN_RATES,
    ENCODERS,
    LEARNING_RATES,
    LENGTHS,
    LENGTHS_RATE,
    MAX_DISTANCE,
    RESULTS,
    TRIALS,
    Run,
    hidden_sizes,
    num_epochs,
    planned_runs,
    read_run,
    trial,
    wer,
)
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from speechgru.score.bootstrap import bootstrap_interval
from speechgru.score.error_rate import ErrorCounts

HERE = RESULTS.parent
README = HERE / "README.md"

NAMES = {
    "rnn": "RNN (tanh)",
    "lstm": "LSTM",
    "gru": "GRU",
    "ligru": "LiGRU",
    "mingru": "minGRU",
}
# Okabe and Ito's palette, whose colours the colour-blind can tell apart.
COLORS = dict(
    zip(NAMES, ("#000000", "#D55E00", "#0072B2", "#009E73", "#CC79A7"), strict=True)
)
TITLES = {
    "fsdd-official": "fsdd, known voices",
    "fsdd-unseen": "fsdd, unseen voices",
    "an4": "AN4",
}
MATCHINGS = {"hidden": "hidden size", "parameters": "parameters"}
MARKERS = {"hidden": "s", "parameters": "o"}
FADED = 0.01  # of the gradient's norm
PAIRED_DRAWS = 2000

Line = dict[str, Any]


def main() -> None:
    """Rewrite what lies between the marks, and the plots."""
    lines = [json.loads(line) for line in RESULTS.read_text().splitlines()]
    progress = f"{len(lines)} of {len(list(planned_runs()))} runs are finished."
    results = f"{progress}\n\n{make_table(lines)}"
    text = put_between_marks(README.read_text(), "results", results)
    text = put_between_marks(text, "rates", make_rate_table(lines))
    text = put_between_marks(text, "lengths", make_length_table(lines))
    README.write_text(text)
    plot_accuracy(lines).savefig(HERE / "accuracy.svg", metadata={"Date": None})
    plot_reach(lines).savefig(HERE / "reach.svg", metadata={"Date": None})


def put_between_marks(text: str, name: str, content: str) -> str:
    """Replace what lies between <!-- name --> and <!-- end of name -->."""
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = f"{re.escape(start)}.*{re.escape(end)}"
    replaced, count = re.subn(
        pattern, lambda _: f"{start}\n\n{content}\n\n{end}", text, flags=re.DOTALL
    )
    if count != 1:
        raise ValueError(f"{count} parts between {start} and {end}, expected 1")
    return replaced


def groups(lines: Sequence[Line]) -> dict[tuple[str, str, str], list[Line]]:
    """Runs of all seeds, without trials, by corpus, matching and encoder."""
    found = {}
    for corpus, encoders in ENCODERS.items():
        for matching in MATCHINGS:
            for encoder in encoders:
                size = hidden_sizes(corpus, encoder).get(matching)
                runs = [
                    line
                    for line in lines
                    if (line["corpus"], line["encoder"]) == (corpus, encoder)
                    and (line["hidden_size"], line["epochs"])
                    == (size, num_epochs(corpus))
                    and line["learning_rate"] == CHOSEN_RATES[encoder]
                ]
                if runs:
                    found[corpus, matching, encoder] = sorted(
                        runs, key=lambda line: line["seed"]
                    )
    return found


def make_table(lines: Sequence[Line]) -> str:
    """Markdown, a row for each corpus, matching and encoder."""
    rows = [
        "| corpus | equal | encoder | hidden | parameters | CPU s per epoch | of the "
        "GRU's | peak MiB | dev WER | test WER | seeds | test WER - GRU's | gradient "
        "reach, start | end |",
        "|" + "---|" * 14,
    ]
    found = groups(lines)
    for (corpus, matching, encoder), runs in found.items():
        reference = found.get((corpus, matching, "gru"), [])
        low, high = bootstrap_interval(pooled_counts(runs))
        rates = [wer(run, "test") for run in runs]
        cells = [
            TITLES[corpus],
            MATCHINGS[matching],
            NAMES[encoder],
            runs[0]["hidden_size"],
            f"{runs[0]['num_parameters']:,}",
            f"{median(run['cpu_seconds_per_epoch'] for run in runs):.1f}",
            relative_cost(runs, reference),
            max(run["peak_memory_mib"] or 0 for run in runs) or "-",
            f"{100 * fmean(wer(run, 'dev') for run in runs):.2f}",
            f"**{100 * fmean(rates):.2f}** [{100 * low:.2f}, {100 * high:.2f}]",
            " ".join(f"{100 * rate:.2f}" for rate in rates),
            "" if encoder == "gru" else difference(runs, reference),
            *(str(faded_after(runs, moment)) for moment in ("start", "end")),
        ]
        rows.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(rows)


def make_rate_table(lines: Sequence[Line]) -> str:
    """Markdown: what other learning rates bring on dev."""
    return _trial_table(
        lines,
        [f"{rate:g}" for rate in LEARNING_RATES],
        lambda encoder: [trial(encoder, 1, rate) for rate in LEARNING_RATES],
    )


def make_length_table(lines: Sequence[Line]) -> str:
    """Markdown: what shorter and longer training brings on dev."""
    factors = sorted((1, *LENGTHS))
    return _trial_table(
        lines,
        [f"{int(factor * num_epochs(TRIALS))} epochs" for factor in factors],
        lambda encoder: [trial(encoder, factor, LENGTHS_RATE) for factor in factors],
    )


def _trial_table(
    lines: Sequence[Line], columns: Sequence[str], trials: Callable[[str], list[Run]]
) -> str:
    rates = {read_run(line): f"{100 * wer(line, 'dev'):.2f}" for line in lines}
    rows = [
        f"| encoder | hidden | {' | '.join(columns)} |",
        "|" + "---|" * (2 + len(columns)),
    ]
    for encoder in ENCODERS[TRIALS]:
        runs = trials(encoder)
        cells = [NAMES[encoder], str(runs[0].hidden_size)]
        cells += [rates.get(run, "-") for run in runs]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def pooled_counts(runs: Sequence[Line]) -> list[ErrorCounts]:
    """Edits and words of each test utterance, summed over the seeds."""
    edits = np.sum([run["test"]["edits"] for run in runs], axis=0)
    words = np.sum([run["test"]["words"] for run in runs], axis=0)
    # Which edits they are makes no difference to their rate.
    return [
        ErrorCounts(insertions=int(count), hits=int(length))
        for count, length in zip(edits, words, strict=True)
    ]


def relative_cost(runs: Sequence[Line], reference: Sequence[Line]) -> str:
    """CPU seconds per epoch, divided by the GRU's of the same seed and machine."""
    by_seed = {(run["seed"], run["machine"]): run for run in reference}
    ratios = [
        run["cpu_seconds_per_epoch"] / by_seed[key]["cpu_seconds_per_epoch"]
        for run in runs
        if (key := (run["seed"], run["machine"])) in by_seed
    ]
    return f"{median(ratios):.2f}" if ratios else "-"


def difference(runs: Sequence[Line], reference: Sequence[Line]) -> str:
    """Test WER less the GRU's, in points, over the seeds that both have.

    The 95 % interval is that of a paired bootstrap: both are scored on the
    same drawn utterances.
    """
    seeds = {run["seed"] for run in runs} & {run["seed"] for run in reference}
    if not seeds:
        return "-"
    ours, theirs = (
        np.sum([run["test"]["edits"] for run in some if run["seed"] in seeds], axis=0)
        for some in (runs, reference)
    )
    words = len(seeds) * np.array(runs[0]["test"]["words"])
    drawn = np.random.default_rng(0).integers(
        len(words), size=(PAIRED_DRAWS, len(words))
    )
    gaps = (ours - theirs)[drawn].sum(axis=1) / words[drawn].sum(axis=1)
    low, high = np.quantile(gaps, [0.025, 0.975])
    gap = (ours - theirs).sum() / words.sum()
    return f"{100 * gap:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]"


def mean_reach(runs: Sequence[Line], moment: str) -> np.ndarray:
    """log10 of the norm at each distance, the mean over the seeds."""
    return np.mean([run["gradient_reach"][moment] for run in runs], axis=0)


def faded_after(runs: Sequence[Line], moment: str) -> str:
    """Frames after which the gradient stays below FADED of its norm."""
    alive = np.flatnonzero(mean_reach(runs, moment) >= math.log10(FADED))
    last = int(alive[-1])
    return f"> {MAX_DISTANCE}" if last == MAX_DISTANCE else str(last)


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


if __name__ == "__main__":
    main()
