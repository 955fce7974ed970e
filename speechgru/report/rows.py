"""Rows of a recipe's table: what `evaluate` found for one seed or several."""

import re
from collections.abc import Sequence
from pathlib import Path

from speechgru.checkpoint.load import load_checkpoint
from speechgru.interfaces import InputError
from speechgru.report.runs import Run, describe_run, name_decoder
from speechgru.score.results import Result, read_results
from speechgru.score.summary import (
    Rate,
    Summary,
    Unit,
    percent,
    read_summary,
    summarise,
)

HEADS = (
    *("recipe", "parameters", "decoder", "CPU-minutes", "split"),
    *("WER, %", "of each seed", "CER, %", "seeds", "commit"),
)


def format_rows(rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, with its heads."""
    lines = (HEADS, ["---"] * len(HEADS), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def make_rows(folders: Sequence[Path], trust: Sequence[str] = ()) -> list[list[str]]:
    """A row for each file of results that all folders hold.

    Args:
        folders: of runs that differ in nothing but the seed.
        trust: modules of the user's own whose classes the checkpoints name.

    Raises:
        InputError: there is no such file, or the runs differ in more than the seed.
    """
    runs = [describe_run(folder) for folder in folders]
    check_alike(runs)
    minutes = between([cpu_minutes(run) for run in runs])
    held = [{path.name for path in folder.glob("*.summary.json")} for folder in folders]
    names = sorted(set.intersection(*held))
    if not names:
        raise InputError(
            f"{', '.join(map(str, folders))}: no results that all of them hold, "
            "expected what speechgru evaluate writes; evaluate all of them alike"
        )
    return [
        make_row([folder / name for folder in folders], minutes, trust)
        for name in names
    ]


def make_row(paths: Sequence[Path], minutes: str, trust: Sequence[str]) -> list[str]:
    """The row of one split, from the summaries of all seeds."""
    summaries = [read_summary(path) for path in paths]
    about = [summary["model"] for summary in summaries]
    per_seed = [read_results(results_of(path)) for path in paths]
    pooled = pool(per_seed, summaries[0]["resampled"])
    checkpoint = paths[0].parent / summaries[0]["checkpoint"]
    model = load_checkpoint(checkpoint, trust).model
    return [
        f"`{about[0]['recipe']}`",
        f"{model.num_parameters:,}",
        name_decoder(summaries[0]) or "",
        minutes,
        f"{summaries[0]['corpus']} {summaries[0]['split']}",
        show(pooled.words),
        ", ".join(percent(summary["words"]["rate"]) for summary in summaries),
        show(pooled.characters),
        ", ".join(str(each["seed"]) for each in about),
        ", ".join(sorted({str(each["commit"]) for each in about})),
    ]


def pool(per_seed: Sequence[Sequence[Result]], unit: Unit) -> Summary:
    """Sum up the results of all seeds, whose mean and interval are then that of all.

    Raises:
        InputError: the seeds were scored on different utterances.
    """
    references = [{r.id: r.reference for r in results} for results in per_seed]
    for others in references[1:]:
        if others != references[0]:
            id = min(set(others.items()) ^ set(references[0].items()))[0]
            raise InputError(
                f"the seeds were scored on different utterances, {id} for one; "
                "evaluate all of them alike"
            )
    return summarise([result for results in per_seed for result in results], unit)


def check_alike(runs: Sequence[Run]) -> None:
    """Raise InputError if runs differ in more than the seed.

    Each may go on from a checkpoint of its own seed, as the path of it says.
    """
    first = runs[0]
    for run in runs:
        for key in sorted(run.config.keys() | first.config.keys()):
            expected, found = first.config.get(key), run.config.get(key)
            if found == expected or key == "seed":
                continue
            if key == "init_from" and differ_in_seed((found, expected), (run, first)):
                continue
            raise InputError(
                f"{run.folder}: {key} is {found!r}, but {expected!r} in "
                f"{first.folder}; give runs that differ in nothing but the seed"
            )
    seeds = [run.seed for run in runs]
    if len(set(seeds)) < len(seeds):
        raise InputError(f"the seeds are {seeds}, expected each once; leave one out")


def differ_in_seed(paths: tuple[object, object], runs: tuple[Run, Run]) -> bool:
    """Whether two paths differ in the numbers of their runs' seeds alone."""
    parts, others = (re.findall(r"\d+|\D+", str(path)) for path in paths)
    seeds = tuple(str(run.seed) for run in runs)
    return len(parts) == len(others) and all(
        pair[0] == pair[1] or pair == seeds for pair in zip(parts, others, strict=True)
    )


def cpu_minutes(run: Run) -> float:
    """What training took. Raises InputError: no epoch is done."""
    if run.cpu_seconds is None:
        raise InputError(
            f"{run.folder}: no epoch is done, expected a run that was trained; go on "
            f"with it: speechgru train resume={run.folder}"
        )
    return run.cpu_seconds / 60


def results_of(summary: Path) -> Path:
    """The file that a summary sums up."""
    return summary.with_name(f"{summary.name.removesuffix('.summary.json')}.jsonl")


def between(values: Sequence[float]) -> str:
    """The least and the greatest."""
    low, high = f"{min(values):.1f}", f"{max(values):.1f}"
    return low if low == high else f"{low}-{high}"


def show(rate: Rate) -> str:
    """A rate in percent with its interval."""
    return f"{percent(rate.counts.rate)} [{percent(rate.low)}, {percent(rate.high)}]"
