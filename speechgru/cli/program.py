"""New runs: a `hydra.main` program, which makes the folder of each."""

import functools
import os
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from speechgru.cli.config import read_options, register_resolvers
from speechgru.cli.main import UsageError
from speechgru.cli.overrides import check_key, settle
from speechgru.cli.project_conf import find_project_conf, search_in
from speechgru.interfaces import InputError
from speechgru.options.choices import CONF_DIR, choices
from speechgru.options.config_file import check_folder
from speechgru.options.training import TrainOptions
from speechgru.ranges import nearest
from speechgru.training.interruption import Interrupted, Interruption

if TYPE_CHECKING:
    from speechgru.training.outcome import Outcome

VALUED = ("--cfg", "-c", "--config-dir", "-cd", "--package", "-p")
"""Flags of Hydra with a value behind them."""


def begin(
    arguments: Sequence[str], interruption: Interruption, began_at: float | None = None
) -> int:
    """Begin a new run, or several."""
    register_resolvers()
    for before, folder in pairwise(arguments):
        if before in ("--config-dir", "-cd"):
            check_folder(Path(folder))
    own = find_project_conf()
    settled = settle_arguments(arguments)
    if own is not None:
        settled += search_in([own])
    if {"-m", "--multirun"} & set(settled) and not {"--cfg", "-c"} & set(settled):
        return _sweep(settled, interruption)
    statuses: list[int] = []
    failures: list[Exception] = []
    command_line = list(sys.argv)
    full_error = os.environ.get("HYDRA_FULL_ERROR")

    def job(config: DictConfig) -> None:
        # Lightning restarts the program from these for every further process.
        sys.argv = command_line
        _restore_environment(full_error)
        try:
            statuses.append(_train(config, interruption, began_at))
        except Exception as error:
            failures.append(error)  # Hydra would print it

    _run_hydra(job, settled)
    if failures:
        raise failures[0]
    return max(statuses, default=0)


def _sweep(settled: Sequence[str], interruption: Interruption) -> int:
    """Train once for each combination of options, and say how it went.

    Raises:
        InputError: a run failed; the others went on.
    """
    from speechgru.cli.sweep import (
        describe_failures,
        passing_on_signals,
        plan_sweep,
    )
    from speechgru.cli.swept_run import train_swept
    from speechgru.report.sweep import read_sweep
    from speechgru.report.sweep_table import format_sweep

    if _is_launched_from_outside():
        raise UsageError(
            "several processes were started from outside, and each would begin the "
            "whole sweep; start -m once, it starts the processes of every run"
        )
    sweep = plan_sweep(*reversed(split_flags(settled)))
    interruption.check()
    full_error = os.environ.get("HYDRA_FULL_ERROR")

    def job(config: DictConfig) -> float | None:
        _restore_environment(full_error)
        return train_swept(sweep)

    failure: Exception | None = None
    with passing_on_signals(sweep) as signals:
        try:
            _run_hydra(job, [*settled, *sweep.settings])
        except Interrupted:
            pass
        except Exception as error:
            # Of a launcher that has lost a worker, or a sweeper without a score.
            failure = error
    runs = read_sweep(sweep.folder)
    if runs:
        print(format_sweep(sweep.folder, runs))
        print(f"sweep folder: {sweep.folder}")
    if signals:
        return 128 + signals[0]
    if any(run.state == "failed" for run in runs):
        raise InputError(describe_failures(sweep, runs))
    if failure is not None:
        raise InputError(f"the sweep ended early: {failure}") from failure
    return 0


def _run_hydra(job: Callable[[DictConfig], Any], arguments: Sequence[str]) -> None:
    program = hydra.main(
        version_base="1.3", config_path=str(CONF_DIR), config_name="train"
    )(functools.wraps(_train)(job))
    command_line = list(sys.argv)
    full_error = os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = [command_line[0], *flags_first(arguments)]
    os.environ["HYDRA_FULL_ERROR"] = "1"  # let errors through to cli/main.py
    try:
        program()
    finally:
        sys.argv = command_line
        _restore_environment(full_error)


def _train(
    config: DictConfig, interruption: Interruption, began_at: float | None
) -> int:
    """Train in the folder that Hydra has made."""
    from speechgru.cli.swept_run import end_with_launcher, recording
    from speechgru.training.run_folder import starting
    from speechgru.training.start import is_joining

    interruption.check()  # the imports take seconds
    settings = HydraConfig.get()
    if _is_launched_from_outside() and not any(
        override.startswith("hydra.run.dir=") for override in settings.overrides.hydra
    ):
        raise UsageError(
            "several processes were started from outside, and each would make a run "
            "folder of its own; add hydra.run.dir=FOLDER"
        )
    folder = Path(settings.runtime.output_dir)
    if is_joining():
        outcome = _train_options(config, folder, began_at)
    else:
        end_with_launcher()
        with recording(folder) as finish, starting(folder):
            outcome = _train_options(config, folder, began_at)
            if outcome.status == 0:
                finish(outcome.scores)
    if outcome.summary:
        print(outcome.summary)
    return outcome.status


def _train_options(
    config: DictConfig, folder: Path, began_at: float | None
) -> "Outcome":
    from speechgru.training.start import train

    settings = HydraConfig.get()
    options = read_options(config, TrainOptions)
    named = [
        override.lstrip("+~").partition("=")[0] for override in settings.overrides.task
    ]
    recipe = settings.runtime.choices.get("recipe")
    return train(options, folder, recipe, named, began_at)


def settle_arguments(arguments: Sequence[str]) -> list[str]:
    """Check the names of options, and quote their values where that is needed.

    Raises:
        UsageError: an argument is neither a flag nor KEY=VALUE.
    """
    sweeps = bool({"-m", "--multirun"} & set(arguments))
    settled, flag = [], None
    for argument in arguments:
        if argument.startswith(("-", "~")) or flag in VALUED:
            settled.append(argument)
        elif "=" in argument:
            check_key(argument)
            settled += settle([argument], sweeps)
        else:
            raise UsageError(
                f"{argument!r} is no option, expected KEY=VALUE"
                + nearest(argument, choices("recipe")).replace("mean ", "mean recipe=")
            )
        flag = argument
    return settled


def flags_first(arguments: Sequence[str]) -> list[str]:
    """Sort flags before overrides; Hydra does not find them in between."""
    flags, overrides = split_flags(arguments)
    return flags + overrides


def split_flags(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Flags with what belongs to them, and overrides."""
    flags, overrides, rest = [], [], list(arguments)
    while rest:
        argument = rest.pop(0)
        if not argument.startswith("-"):
            overrides.append(argument)
            continue
        flags.append(argument)
        if argument in VALUED:
            flags += rest[:1]
            del rest[:1]
    return flags, overrides


def _is_launched_from_outside() -> bool:
    return "TORCHELASTIC_RUN_ID" in os.environ or (
        int(os.environ.get("SLURM_NTASKS", "1")) > 1
        and os.environ.get("SLURM_JOB_NAME") != "bash"
    )


def _restore_environment(full_error: str | None) -> None:
    if full_error is None:
        os.environ.pop("HYDRA_FULL_ERROR", None)
    else:
        os.environ["HYDRA_FULL_ERROR"] = full_error
