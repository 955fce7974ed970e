"""New runs: a `hydra.main` program, which makes the folder of each."""

import functools
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from speechgru.cli.config import read_options, register_resolvers
from speechgru.cli.main import UsageError
from speechgru.cli.overrides import check_key, settle
from speechgru.options.choices import CONF_DIR, choices
from speechgru.options.config_file import check_folder
from speechgru.options.training import TrainOptions
from speechgru.ranges import nearest
from speechgru.training.interruption import Interrupted, Interruption

log = logging.getLogger(__name__)

VALUED = ("--cfg", "-c", "--config-dir", "-cd", "--package", "-p")
"""Flags of Hydra with a value behind them."""


def begin(arguments: Sequence[str], interruption: Interruption) -> int:
    """Begin a new run, or several."""
    register_resolvers()
    statuses: list[int] = []
    failures: list[Exception] = []
    command_line = list(sys.argv)
    full_error = os.environ.get("HYDRA_FULL_ERROR")

    def job(config: DictConfig) -> None:
        # Lightning restarts the program from these for every further process.
        sys.argv = command_line
        _restore_environment(full_error)
        try:
            status = _train(config, interruption)
        except Exception as error:
            # Hydra would print it; and the other runs of -m shall go on.
            failures.append(error)
            return
        statuses.append(status)
        if status > 128:
            raise Interrupted(status - 128)  # and the other runs shall not

    program = hydra.main(
        version_base="1.3", config_path=str(CONF_DIR), config_name="train"
    )(functools.wraps(_train)(job))
    for before, folder in pairwise(arguments):
        if before in ("--config-dir", "-cd"):
            check_folder(Path(folder))
    sys.argv = [command_line[0], *flags_first(settle_arguments(arguments))]
    os.environ["HYDRA_FULL_ERROR"] = "1"  # let errors through to cli/main.py
    try:
        program()
    finally:
        sys.argv = command_line
        _restore_environment(full_error)
    for error in failures[1:]:
        log.error("%s", error)
    if failures:
        raise failures[0]
    return max(statuses, default=0)


def _train(config: DictConfig, interruption: Interruption) -> int:
    """Train in the folder that Hydra has made."""
    from speechgru.training.run_folder import starting
    from speechgru.training.start import is_joining, train

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
    with nullcontext() if is_joining() else starting(folder):
        options = read_options(config, TrainOptions)
        if settings.mode == RunMode.MULTIRUN and "ddp" in options.trainer.strategy:
            raise UsageError(
                "-m and several processes do not go together: each process would begin "
                "the whole sweep; start the runs one by one"
            )
    named = [
        override.lstrip("+~").partition("=")[0] for override in settings.overrides.task
    ]
    recipe = settings.runtime.choices.get("recipe")
    outcome = train(options, folder, recipe, named)
    if outcome.summary:
        print(outcome.summary)
    return outcome.status


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
    return flags + overrides


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
