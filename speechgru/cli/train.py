"""`speechgru train`: a `hydra.main` program, or a resumed run."""

import functools
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from speechgru.checkpoint.storage import (
    DESCRIPTION_KEY,
    is_language_model,
    read_checkpoint,
)
from speechgru.cli.config import register_resolvers, to_plain
from speechgru.cli.help import explain
from speechgru.cli.main import UsageError
from speechgru.cli.overrides import check_key, settle
from speechgru.interfaces import InputError
from speechgru.options.choices import CONF_DIR, choices
from speechgru.options.config_file import check_folder
from speechgru.ranges import nearest
from speechgru.training.interruption import Interrupted, Interruption
from speechgru.training.resuming import apply_changes, parse_overrides, to_builtin
from speechgru.training.run_files import CONFIG_FILE, LAST
from speechgru.training.run_folder import (
    begin_anew,
    claim,
    starting,
    working_where_it_began,
    write_config,
    write_start,
)
from speechgru.training.stored import read_stored

USAGE = """
usage: speechgru train [recipe=NAME] [GROUP=CHOICE ...] [KEY=VALUE ...]
       speechgru train ... -m KEY=A,B,C           train once for each combination
       speechgru train ... init_from=CHECKPOINT   fine-tune
       speechgru train resume=RUN_FOLDER          go on after an interruption; of
                                                  modules of your own, say so again:
                                                  'trust=[MODULE]'
       speechgru train resume=RUN_FOLDER trainer.max_epochs=N
                                                  or trainer=cpu: for longer, or
                                                  on another machine

Train a model. A run folder below runs_dir keeps its configuration, log,
metrics, best.ckpt and last.ckpt.
"""

log = logging.getLogger(__name__)

VALUED = ("--cfg", "-c", "--config-dir", "-cd", "--package", "-p")
"""Flags of Hydra with a value behind them."""

FROM_CHECKPOINT = ("features", "normalize", "subsampling", "encoder")
"""Groups that `init_from` brings with it, beside the text group."""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    if {"--help", "-h"} & set(arguments):
        print(explain("train", USAGE, arguments))
        return 0
    with Interruption() as interruption:
        try:
            if any(argument.startswith("resume=") for argument in arguments):
                return resume(arguments)
            return _begin(arguments, interruption)
        except Interrupted as error:
            if interruption.number is not None:
                print(f"speechgru train: {error}: nothing was done", file=sys.stderr)
            return error.status


def _begin(arguments: Sequence[str], interruption: Interruption) -> int:
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
            status = _start(config, interruption)
        except Exception as error:
            # Hydra would print it; and the other runs of -m shall go on.
            failures.append(error)
            return
        statuses.append(status)
        if status > 128:
            raise Interrupted(status - 128)  # and the other runs shall not

    program = hydra.main(
        version_base="1.3", config_path=str(CONF_DIR), config_name="train"
    )(functools.wraps(_start)(job))
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


def _start(config: DictConfig, interruption: Interruption) -> int:
    """Begin a new run in the folder that Hydra made."""
    settings = HydraConfig.get()
    folder = Path(settings.runtime.output_dir)
    # Processes that join a run find its folder in use; others must not.
    if _is_joining():
        return _train_in(folder, config, interruption)
    with claim(folder), starting(folder):
        begin_anew(folder)
        return _train_in(folder, config, interruption)


def _train_in(folder: Path, config: DictConfig, interruption: Interruption) -> int:
    from speechgru.training.build import refuse_idle
    from speechgru.training.run import run_training

    interruption.check()  # the imports take seconds
    settings = HydraConfig.get()
    if _is_launched_from_outside() and not any(
        override.startswith("hydra.run.dir=") for override in settings.overrides.hydra
    ):
        raise UsageError(
            "several processes were started from outside, and each would make a run "
            "folder of its own; add hydra.run.dir=FOLDER"
        )
    plain = to_plain(config, "train")
    if settings.mode == RunMode.MULTIRUN and "ddp" in str(plain["trainer"]["strategy"]):
        raise UsageError(
            "-m and several processes do not go together: each process would begin "
            "the whole sweep; start the runs one by one"
        )
    refuse_idle(plain, settings.overrides.task)
    recipe = settings.runtime.choices.get("recipe")
    if plain["init_from"] is not None:
        plain = adopt_model(plain, settings.overrides.task)
    if not _is_joining():
        write_config(folder, {**plain, "recipe": recipe})
        write_start(folder)
    return run_training(plain, folder, recipe)


def resume(arguments: Sequence[str]) -> int:
    """Go on in a run folder, from its last checkpoint and stored configuration.

    A run that was ended before its first checkpoint begins anew.
    """
    from speechgru.training.run import run_training

    options = [a for a in arguments if a.startswith("resume=")]
    others = [a for a in arguments if not a.startswith("resume=")]
    trusted = [a for a in others if a.startswith("trust=")]
    if len(options) != 1 or len(trusted) > 1:
        raise UsageError("expected one resume=RUN_FOLDER, and at most one trust=[...]")
    trust = parse_trust(trusted[0].partition("=")[2] if trusted else "[]")
    changes = parse_overrides([a for a in others if a not in trusted])
    folder = Path(options[0].partition("=")[2]).absolute()
    if not (folder / CONFIG_FILE).is_file():
        raise InputError(
            f"{folder}: nothing to resume, there is no {CONFIG_FILE}; expected the "
            "folder of a run"
        )
    first = not _is_joining()
    with claim(folder) if first else nullcontext():
        config = read_stored(folder, trust)
        apply_changes(config, changes)
        _check_ranges(config)
        saved = (folder / LAST).exists()
        if first and not saved:
            begin_anew(folder)
            write_config(folder, config)
            note = f"{folder}: no checkpoint was saved; it begins anew"
            print(note, file=sys.stderr)
        recipe = config.pop("recipe")
        with working_where_it_began(folder), _restarted_by(folder, others):
            return run_training(config, folder, recipe, resume=saved)


def _check_ranges(config: Mapping[str, Any]) -> None:
    options = {key: value for key, value in config.items() if key != "recipe"}
    to_plain(OmegaConf.create(to_builtin(options)), "train")


@contextmanager
def _restarted_by(folder: Path, overrides: Sequence[str]) -> Iterator[None]:
    """Let Lightning restart the program, for further processes, from any folder."""
    command_line = list(sys.argv)
    program = os.path.abspath(command_line[0])
    sys.argv = [program, "train", f"resume={folder}", *overrides]
    try:
        yield
    finally:
        sys.argv = command_line


def parse_trust(text: str) -> list[str]:
    """Read the option trust, e.g. "[my.module]", as Hydra would."""
    trust = OmegaConf.to_container(OmegaConf.from_dotlist([f"trust={text}"]))["trust"]
    names = [trust] if isinstance(trust, str) else trust
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UsageError(f"trust is {text}, expected modules: 'trust=[my.module]'")
    return names


def adopt_model(config: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Put the model configuration of the `init_from` checkpoint into a run's.

    Single options that the command line names, such as encoder.dropout=0.3,
    stay as named; another class, or another way to treat text, is refused.
    """
    description = read_checkpoint(config["init_from"])[DESCRIPTION_KEY]
    if is_language_model(description):
        raise InputError(
            f"init_from={config['init_from']}: is a language model, expected an "
            "acoustic model; name another checkpoint"
        )
    adopted = {**config, "text": description["tokenizer"]}
    adopted |= {group: dict(description["model"][group]) for group in FROM_CHECKPOINT}
    for override in overrides:
        key, _, _ = override.lstrip("+~").partition("=")
        group, _, option = key.partition(".")
        if group == "text" or (group in FROM_CHECKPOINT and not option):
            raise UsageError(
                f"{override}: init_from brings text, {', '.join(FROM_CHECKPOINT)} with "
                "the checkpoint; leave it out"
            )
        if group in FROM_CHECKPOINT and option in config[group]:
            adopted[group][option] = config[group][option]
    return adopted


def _is_joining() -> bool:
    """Whether this process joins a run that another one has begun."""
    return any(
        os.environ.get(name, "0") != "0"
        for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK", "NODE_RANK")
    )


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
