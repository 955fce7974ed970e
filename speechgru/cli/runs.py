"""`speechgru runs`: what was tried, and how well it went."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from speechgru.cli.config import read_command_line
from speechgru.files import printable, to_json
from speechgru.interfaces import InputError
from speechgru.options import RunsOptions
from speechgru.options.config_file import read_config
from speechgru.score.learning import read_learning_curves
from speechgru.score.summary import percent, read_summary

USAGE = """
usage: speechgru runs [FOLDER ...] [KEY=VALUE ...]

List the runs below runs_dir, or below the folders given: the seed, how far they
got, CPU time, the lowest WER on dev, the WERs that `evaluate` found, and by what
each configuration differs from what most runs have.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(RunsOptions, arguments, USAGE, (0, 1000))
    config = line.config
    if config["format"] not in ("text", "json"):
        raise InputError(f"format is {config['format']!r}, expected text or json")
    roots = [Path(name) for name in line.positional or [config["runs_dir"]]]
    folders = sorted({folder for root in roots for folder in find_runs(root)})
    if not folders:
        raise InputError(
            f"{', '.join(map(str, roots))}: no runs, expected folders that `train` "
            "made; name another folder, or set runs_dir=FOLDER"
        )
    runs, damaged = [], []
    for folder in folders:
        try:
            runs.append(describe_run(folder))
        except InputError as error:
            damaged.append(f"left out: {error}")
    add_differences(runs, config["ignore"])
    if config["format"] == "json":
        print(to_json(runs, indent=2).decode())
    elif runs:
        print("\n".join(format_table(runs)))
    if damaged:
        print("\n".join(map(printable, damaged)), file=sys.stderr)
    return 1 if damaged else 0


def find_runs(root: Path) -> Iterator[Path]:
    """Folders with a configuration and what was logged."""
    if not root.is_dir():
        raise InputError(
            f"{root}: no such folder; name another, or set runs_dir=FOLDER"
        )
    for path in root.rglob("config.yaml"):
        if (path.parent / "metrics").is_dir():
            yield path.parent


def describe_run(folder: Path) -> dict[str, Any]:
    """What the files of a run folder say."""
    config = flatten(read_config(folder / "config.yaml"))
    curves = read_learning_curves(folder)
    trained = [row for row in curves if "train/cpu_seconds" in row]
    on_dev = [row["val/wer"] for row in curves if "val/wer" in row]
    return {
        "run": str(folder),
        "seed": config.get("seed"),
        "epochs": len(trained),
        "max_epochs": config.get("trainer.max_epochs"),
        "cpu_seconds": trained[-1]["train/cpu_seconds"] if trained else None,
        "best_dev_wer": min(on_dev, default=None),
        "scores": [read_score(path) for path in sorted(folder.glob("*.summary.json"))],
        "config": config,
    }


def read_score(path: Path) -> dict[str, Any]:
    """The WER in what `evaluate` wrote beside its results."""
    summary = read_summary(path)
    return {
        **{name: summary[name] for name in ("corpus", "split", "checkpoint")},
        **{name: summary["words"][name] for name in ("rate", "low", "high")},
    }


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested keys joined by dots; lists are values."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def add_differences(runs: Sequence[dict[str, Any]], ignored: Sequence[str]) -> None:
    """Replace each configuration by what is not as in most runs."""
    configs = [run.pop("config") for run in runs]
    for key in sorted({key for config in configs for key in config}):
        if key in ignored:
            continue
        # As text, since a list cannot be counted; a missing key counts, too.
        values = [_value_text(config.get(key, "(none)")) for config in configs]
        usual, _ = Counter(values).most_common(1)[0]
        for run, value in zip(runs, values, strict=True):
            if value != usual:
                run.setdefault("differs", {})[key] = value
    for run in runs:
        differs = run.setdefault("differs", {})
        if "corpus.name" in differs:
            # What the corpus consists of follows from its name.
            run["differs"] = {
                key: value
                for key, value in differs.items()
                if key == "corpus.name" or not key.startswith("corpus.")
            }


def _value_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def format_table(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each run, and indented ones for its scores and differences."""
    names = [printable(run["run"]) for run in runs]
    width = max(len("run"), *map(len, names))
    lines = [f"{'run':{width}}  seed   epochs CPU h:min  dev WER"]
    for run, name in zip(runs, names, strict=True):
        epochs = f"{run['epochs']}/{run['max_epochs']}"
        best = run["best_dev_wer"]
        lines.append(
            f"{name:{width}} {run['seed']!s:>5} {epochs:>8} "
            f"{_duration(run['cpu_seconds']):>9} "
            f"{'-' if best is None else percent(best):>8}"
        )
        for score in run["scores"]:
            wer = _percent(score["rate"])
            interval = f"[{_percent(score['low'])}, {_percent(score['high'])}]"
            lines.append(
                f"    {score['corpus']} {score['split']}: WER {wer} % {interval}"
            )
        if run["differs"]:
            differs = (f"{key}={value}" for key, value in run["differs"].items())
            lines.append(f"    {printable(' '.join(differs))}")
    return lines


def _percent(rate: float | None) -> str:
    return "inf" if rate is None else percent(rate)


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02}"
