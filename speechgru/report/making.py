"""How results were made: decoder, training, and options that are not the usual ones."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from speechgru.files import to_json
from speechgru.interfaces import InputError
from speechgru.options import TrainOptions
from speechgru.options.component import flatten
from speechgru.options.config_file import read_config
from speechgru.progress import say_duration
from speechgru.ranges import OptionError
from speechgru.report.watching.run_log import read_log
from speechgru.run_files import CONFIG_FILE, LOG_FILE, WAS
from speechgru.score.learning import find_last

_OF_THE_MODEL = (
    *("recipe", "corpus", "fold", "seed", "init_from", "epoch", "step", "precision"),
    *("speechgru", "commit", "torch", "python"),
)
_OF_THE_MACHINE = ("accelerator", "devices", "num_nodes", "num_threads")

_PLACES = ("data_dir", "runs_dir")
"""Where things lie on a machine: no choice of the run."""

Facts = list[tuple[str, str]]


def describe_decoding(described: Mapping[str, Any] | None) -> Facts:
    """The decoder and all its weights, those of a language model among them.

    Args:
        described: what `evaluate` wrote beside the results, where known.
    """
    facts: Facts = []
    for part in ("decoder", "rescore"):
        options = (described or {}).get(part)
        if isinstance(options, str):
            facts.append((part, options))
        elif isinstance(options, dict):
            for key, value in flatten(options).items():
                facts += _name(f"{part}.{key}", value)
    return facts


def describe_training(
    described: Mapping[str, Any] | None,
    curves: Sequence[Mapping[str, float]],
    run: Path | None,
) -> Facts:
    """What the model is, how long it took, and on what.

    Args:
        described: as in `describe_decoding`.
        curves: of the run; empty: not known.
        run: its folder, if the results lie in one.
    """
    model = (described or {}).get("model")
    model = model if isinstance(model, dict) else {}
    facts = [
        (name, _show(model[name]))
        for name in _OF_THE_MODEL
        if model.get(name) is not None
    ]
    seconds = find_last(curves, "train/cpu_seconds")
    if seconds is not None:
        facts.append(("CPU time of the run", say_duration(seconds)))
    elif isinstance(model.get("cpu_seconds"), (int, float)):
        facts.append(("CPU time up to this epoch", say_duration(model["cpu_seconds"])))
    if run is None:
        return facts
    wall = find_last(curves, "train/wall_seconds")
    if wall is None:  # of an older version
        with contextlib.suppress(OSError):
            wall = read_log(run / LOG_FILE).seconds
    if wall:
        facts.append(("wall-clock time, without pauses", say_duration(wall)))
    config = flatten(_read(run))
    machine = [
        f"{name} {_show(config[f'trainer.{name}'])}"
        for name in _OF_THE_MACHINE
        if config.get(f"trainer.{name}") is not None
    ]
    if machine:
        facts.append(("trained on", ", ".join(machine)))
    return facts


def find_unusual(run: Path) -> list[tuple[str, str, str]]:
    """Options of a run that are not as they would be by default.

    Returns:
        Name, value and default of each, as text; empty: none, or an older version
        wrote them so that they cannot be told.
    """
    stored = _read(run)
    for key in ("recipe", WAS):
        stored.pop(key, None)
    try:
        options = TrainOptions.read(stored, is_stored=True)
    except OptionError:
        return []
    found = flatten(options.to_plain())
    usual = flatten(TrainOptions(corpus=options.corpus).to_plain())
    rows = []
    for key, value in found.items():
        if key in _PLACES or (key in usual and usual[key] == value):
            continue
        default = dict(_name(key, usual[key])) if key in usual else {}
        rows += [(*fact, default.get(fact[0], "")) for fact in _name(key, value)]
    return rows


def _read(run: Path) -> dict[str, Any]:
    """The configuration; empty if it is damaged, of which the page shows the text."""
    try:
        return {**read_config(run / CONFIG_FILE)}
    except InputError:
        return {}


def _name(key: str, value: Any) -> Facts:
    """An option as people know it: a part goes by the name of its class."""
    if key.endswith("._partial_"):
        return []
    if key.endswith("._target_"):
        name = key.removesuffix("._target_")
        return [(name, "none" if value is None else str(value).rpartition(".")[2])]
    return [(key, _show(value))]


def _show(value: Any) -> str:
    return value if isinstance(value, str) else to_json(value).decode()
