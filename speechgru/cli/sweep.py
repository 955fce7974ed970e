"""The sweeps of `speechgru train -m`: checked first, then each run by itself."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from types import FrameType

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override

from speechgru.cli.config import compose_config, read_options
from speechgru.cli.main import UsageError
from speechgru.cli.overrides import quote
from speechgru.cli.stop import handling
from speechgru.interfaces import InputError
from speechgru.options.training import TrainOptions
from speechgru.report.sweep import SweptRun, find_swept, read_sweep
from speechgru.training.interruption import Interrupted

STOP_FILE = ".stop"
"""In the folder of a sweep: the signals that came, for every run to obey."""

PLUGINS = {
    "joblib": "hydra_joblib_launcher",
    "submitit_local": "hydra_submitit_launcher",
    "submitit_slurm": "hydra_submitit_launcher",
    "optuna": "hydra_optuna_sweeper",
}

OF_OPTUNA = {
    "hydra.sweeper.direction": "minimize",  # an error rate, or a loss
    "hydra.sweeper.max_failure_rate": "1.0",  # a failed run ends no sweep
    "hydra.sweeper.n_jobs": "1",  # at a time; more need a launcher of several
}
"""What its sweeper is told unless the command line says otherwise."""


@dataclass(frozen=True)
class Sweep:
    """A sweep that may begin.

    Attributes:
        folder: of the sweep, with one for each run.
        config_dir: of the user, that holds more choices.
        process: that launches the runs, or has others launch them.
        swept: names of the options that the command line sweeps.
        settings: overrides of Hydra's own options.
        in_turn: whether the runs share the terminal, one after the other.
    """

    folder: Path
    config_dir: str | None
    process: int
    swept: tuple[str, ...]
    settings: tuple[str, ...]
    in_turn: bool


def plan_sweep(overrides: Sequence[str], flags: Sequence[str]) -> Sweep:
    """Check every run of a sweep, before a folder is made.

    Args:
        overrides: as Hydra understands them.
        flags: Hydra's, that of a folder of configurations among them.

    Raises:
        UsageError, OptionError: an option is not what it may be.
        InputError: the folder holds a sweep already.
    """
    config_dir = next(
        (b for a, b in pairwise(flags) if a in ("--config-dir", "-cd")), None
    )
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    ours = [each for each in parsed if each.key_or_group.startswith("hydra")]
    swept = [each for each in parsed if not each.key_or_group.startswith("hydra")]
    _check_plugins(ours)
    texts = [str(each.input_line) for each in ours]
    chosen = {each.key_or_group: each.value() for each in ours}
    is_grid = chosen.get("hydra/sweeper", "basic") == "basic"
    for run in _every_run(swept) if is_grid else _sample_runs(swept):
        read_options(compose_config("train", run, config_dir), TrainOptions)
    first = next(_sample_runs(swept))
    config = compose_config("train", [*first, *texts], config_dir, with_hydra=True)
    folder = Path(str(config.hydra.sweep.dir)).absolute()
    if read_sweep(folder):
        raise InputError(
            f"{folder}: holds a sweep already, expected a new folder; name another by "
            "hydra.sweep.dir=FOLDER"
        )
    settings = [f"hydra.sweep.dir={quote(str(folder), literal=True)}"]
    if chosen.get("hydra/sweeper") == "optuna":
        settings += [f"{k}={v}" for k, v in OF_OPTUNA.items() if k not in chosen]
    in_turn = chosen.get("hydra/launcher", "basic") == "basic"
    names = tuple(e.get_key_element() for e in swept if e.is_sweep_override())
    return Sweep(folder, config_dir, os.getpid(), names, tuple(settings), in_turn)


@contextmanager
def passing_on_signals(sweep: Sweep) -> Iterator[list[int]]:
    """Let SIGINT and SIGTERM end the runs, wherever they run, and not this process.

    Yields:
        The signals that came, one after the other.
    """
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if not sweep.folder.is_dir():
            raise Interrupted(number)
        (sweep.folder / STOP_FILE).write_text(" ".join(map(str, came)))

    try:
        with handling(note):
            yield came
    finally:
        (sweep.folder / STOP_FILE).unlink(missing_ok=True)


def describe_failures(sweep: Sweep, runs: Sequence[SweptRun]) -> str:
    """A line for each run that failed: its options, folder and error."""
    swept = find_swept(runs)
    failed = [run for run in runs if run.state == "failed"]
    lines = (
        f"  {run.describe(swept)} "
        f"in {sweep.folder / str(run.number)}: {' '.join((run.error or '').split())}"
        for run in failed
    )
    return "\n".join([f"{len(failed)} of {len(runs)} runs failed:", *lines])


def _every_run(overrides: Sequence[Override]) -> Iterator[list[str]]:
    for batch in BasicSweeper.split_arguments(list(overrides), None):
        yield from batch


def _sample_runs(overrides: Sequence[Override]) -> Iterator[list[str]]:
    """Runs in which each value occurs; of an interval its ends."""
    values = [list(_values(override)) for override in overrides]
    yield [each[0] for each in values]
    for place, each in enumerate(values):
        for value in each[1:]:
            yield [v[0] if i != place else value for i, v in enumerate(values)]


def _values(override: Override) -> Iterator[str]:
    key, value = override.get_key_element(), override.value()
    if isinstance(value, IntervalSweep):
        yield from (f"{key}={value.start}", f"{key}={value.end}")
    elif override.is_sweep_override():
        yield from (f"{key}={text}" for text in override.sweep_string_iterator())
    else:
        yield str(override.input_line)


def _check_plugins(overrides: Sequence[Override]) -> None:
    for override in overrides:
        plugin = PLUGINS.get(str(override.value()))
        if override.key_or_group in ("hydra/launcher", "hydra/sweeper") and plugin:
            found = "hydra_plugins" in sys.modules or find_spec("hydra_plugins")
            if not found or find_spec(f"hydra_plugins.{plugin}") is None:
                raise UsageError(
                    f"{override.input_line} is not installed; run: "
                    "pip install 'speechgru[sweep]'"
                )
