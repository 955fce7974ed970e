"""The tables of README.md, from lines of results.jsonl."""

import math
from collections.abc import Callable, Sequence
from statistics import fmean, median
from typing import Any

import numpy as np
from planned import (
    CHOSEN_RATES,
    ENCODERS,
    LEARNING_RATES,
    LENGTHS,
    LENGTHS_RATE,
    MAX_DISTANCE,
    TRIALS,
    Run,
    hidden_sizes,
    num_epochs,
    read_run,
    trial,
    wer,
)

from speechgru.score.bootstrap import bootstrap_interval
from speechgru.score.counts import ErrorCounts

NAMES = {
    "rnn": "RNN (tanh)",
    "lstm": "LSTM",
    "gru": "GRU",
    "ligru": "LiGRU",
    "mingru": "minGRU",
}
TITLES = {
    "fsdd-official": "fsdd, known voices",
    "fsdd-unseen": "fsdd, unseen voices",
    "an4": "AN4",
}
MATCHINGS = {"hidden": "hidden size", "parameters": "parameters"}
FADED = 0.01  # of the gradient's norm
PAIRED_DRAWS = 2000

Line = dict[str, Any]


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
