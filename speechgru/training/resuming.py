"""What may change when a run goes on, and what would make it another run."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speechgru.data.inventory import (
    Inventory,
    Record,
    by_id,
    find_differences,
    read_inventory,
    write_inventory,
)
from speechgru.interfaces import InputError
from speechgru.options.component import flatten
from speechgru.options.rules import is_address
from speechgru.options.training import TrainerOptions, TrainOptions
from speechgru.progress import say_duration
from speechgru.ranges import OptionError
from speechgru.run_files import INVENTORY_FILE, LAST
from speechgru.training.callbacks import CONFIG_KEY
from speechgru.training.length import Length
from speechgru.training.stored import read_any_version

log = logging.getLogger(__name__)

HARDWARE = (
    *("trainer.accelerator", "trainer.devices", "trainer.num_nodes"),
    *("trainer.launcher", "trainer.strategy"),
)
"""What `trainer=CHOICE` changes of a run that goes on."""

LENGTH = ("trainer.max_epochs", "trainer.max_steps", "trainer.max_time")
"""How long a run is."""

MAY_CHANGE = (
    *HARDWARE,
    *("trainer.num_threads", *LENGTH),
    *("trainer.log_every_n_steps", "trainer.deterministic", "trainer.timeout"),
    *("data.num_workers", "callbacks.early_stopping_patience"),
    *("callbacks.save_every", "callbacks.save_every_steps"),
    *("callbacks.keep_every", "callbacks.draw_every", "callbacks.profile_steps"),
    *("logger.csv", "logger.tensorboard", "logger.wandb", "logger.mlflow"),
    "logger.project",
)
"""Options that leave what is learnt as it is, or say what they change."""

NOT_OBEYED = ("data.check", "data.on_error", "data_dir", "runs_dir", "init_from")
"""Options that only the start of a run obeys. Data is held to its inventory."""


def apply_changes(options: TrainOptions, changes: Mapping[str, Any]) -> TrainOptions:
    """The options of a run that goes on in another way.

    Args:
        options: of the run, as they were written.
        changes: values by the full names of options, e.g. "trainer.max_epochs".

    Raises:
        OptionError: an option that cannot change, or a value that it cannot have.
    """
    plain = options.to_plain()
    # What is named wins over what the run was begun with.
    named = [key for key in changes if key in LENGTH and changes[key] is not None]
    if len(named) > 1 and LENGTH[-1] in named:
        raise OptionError(
            f"{' and '.join(named)}: both say how long the run is; leave one out"
        )
    if named:
        for key in LENGTH[1:]:
            plain["trainer"][key.partition(".")[2]] = None
    for key, value in changes.items():
        if key not in MAY_CHANGE:
            raise OptionError(
                f"{key}: a run goes on as it began, or it would be another; what may "
                f"change is {', '.join(MAY_CHANGE)}. To change anything else, start "
                "another run, perhaps with init_from=CHECKPOINT"
            )
        group, _, name = key.partition(".")
        plain[group][name] = value
    changed = TrainOptions.read(plain)
    _refuse_network(changed, changes)
    return changed


def _refuse_network(options: TrainOptions, named: Mapping[str, Any]) -> None:
    """Refuse to log to an address that only a run folder names: it may be anybody's."""
    logger = options.logger
    addresses = {
        "logger.wandb": logger.wandb if logger.wandb == "online" else None,
        "logger.mlflow": logger.mlflow if is_address(logger.mlflow) else None,
    }
    for name, address in addresses.items():
        if address is not None and name not in named:
            raise InputError(
                f"the run logs to the network ({name}={address}), which is not done "
                f"because a run folder says so; say it again, beside resume: "
                f"{name}={address}, or leave it out: {name}=null"
            )


def read_before(checkpoint: Mapping[str, Any], folder: Path) -> TrainOptions | None:
    """The options that the last checkpoint was trained with; None: it does not say.

    Args:
        checkpoint: the last one.
        folder: of the run.

    Raises:
        InputError: they cannot be read.
    """
    config = checkpoint.get(CONFIG_KEY)
    if not isinstance(config, dict) or not config:
        return None  # of an older version
    try:
        return read_any_version(config)
    except OptionError as error:
        raise InputError(
            f"{folder / LAST}: its configuration cannot be read ({error}); begin anew "
            "with init_from"
        ) from error


def check_changes(before: TrainOptions | None, now: TrainOptions, folder: Path) -> None:
    """Say what has changed since the last checkpoint, or refuse it.

    Args:
        before: options that the last checkpoint was trained with; None: it does not
            say.
        now: options to go on with.
        folder: of the run.

    Raises:
        InputError: the run would become another one.
    """
    here = flatten(now.to_plain())
    then = here if before is None else flatten(before.to_plain())
    for key in sorted(then.keys() | here.keys()):
        was, value = then.get(key), here.get(key)
        if was == value or key.startswith(("corpus.", "trust")) or key in NOT_OBEYED:
            continue
        if key not in MAY_CHANGE:
            raise InputError(
                f"{folder}: {key} was {was!r} when the last checkpoint was saved, is "
                f"{value!r} now; a run goes on as it began: set it back, on "
                "the command line or in config.yaml, or start another, perhaps with "
                f"init_from={folder}/last.ckpt"
            )
        log.info("%s: %s from here on, was %s", key, value, was)
        if key in (*HARDWARE, "trainer.num_threads"):
            log.info(
                "the steps stay the same, but sums of floating-point numbers are "
                "taken in another order: last digits will differ"
            )


def check_length(
    wanted: TrainerOptions,
    checkpoint: Mapping[str, Any],
    folder: Path,
    length: Length,
) -> None:
    """Raise InputError if more is done than is wanted.

    Args:
        wanted: says how long the run is.
        checkpoint: of training.
        folder: of the run.
        length: of the run.
    """
    if wanted.max_seconds is not None:
        _check_time(wanted.max_seconds, checkpoint, folder, length)
        return
    if wanted.max_steps is None:
        name, most, unit = "max_epochs", wanted.max_epochs, "epochs"
        done = _epochs_done(checkpoint)
    else:
        name, most, unit = "max_steps", wanted.max_steps, "steps"
        done = int(checkpoint.get("global_step", 0))
    if most < done:
        raise InputError(
            f"{folder}: trainer.{name} is {most}, but {done} {unit} are "
            f"done; expected {done} or more"
        )
    if most == done:
        log.info(
            "all %d %s are done; to train on: speechgru train resume=%s trainer.%s=N",
            done,
            unit,
            folder,
            name,
        )


def _check_time(
    wanted: float, checkpoint: Mapping[str, Any], folder: Path, length: Length
) -> None:
    done = int(checkpoint.get("global_step", 0))
    if length.num_steps is not None and length.num_steps <= done:
        log.info(
            "the time of the run is over, after %d steps; to train on: speechgru train "
            "resume=%s trainer.max_time=TIME, of more than %s",
            done,
            folder,
            say_duration(wanted),
        )
    elif not length.is_known and wanted <= length.seconds:
        raise InputError(
            f"{folder}: trainer.max_time is {say_duration(wanted)}, but the run has "
            f"taken {say_duration(length.seconds)}; expected more"
        )


def _epochs_done(checkpoint: Mapping[str, Any]) -> int:
    """Whole epochs behind a training checkpoint; 0 if it does not say."""
    try:
        loop = checkpoint["loops"]["fit_loop"]
        return int(loop["epoch_progress"]["current"]["processed"])
    except (LookupError, TypeError, ValueError):
        return 0  # Lightning will not go on with it


def describe_going_on(options: TrainOptions, folder: Path) -> str:
    """Say how to go on with a run that has ended."""
    trust = f" 'trust=[{','.join(options.trust)}]'" if options.trust else ""
    logger = ""
    if options.logger.wandb == "online":
        logger += " logger.wandb=online"
    if is_address(options.logger.mlflow):
        logger += f" logger.mlflow={options.logger.mlflow}"
    return f"go on with: speechgru train resume={folder.absolute()}{trust}{logger}"


def known_records(folder: Path) -> dict[str, dict[str, Record]]:
    """What a run has written down of its data, by split and id."""
    path = folder / INVENTORY_FILE
    inventory = read_inventory(path) if path.exists() else {}
    return {split: by_id(records) for split, records in inventory.items()}


def hold_to_inventory(folder: Path, now: Inventory, resume: bool) -> None:
    """Write down the data of a new run; compare it where a run goes on.

    Raises:
        InputError: the data is not what the run began with.
    """
    path = folder / INVENTORY_FILE
    if not resume:
        write_inventory(path, now)
        return
    if not path.exists():
        log.info(
            "the run does not say what data it began with; it goes on with what "
            "there is: %s",
            ", ".join(f"{len(records)} of {name}" for name, records in now.items()),
        )
        return
    differences = find_differences(read_inventory(path), now)
    if differences:
        listed = "\n".join(differences)
        raise InputError(
            f"{folder}: the data is not what the run began with\n{listed}\n"
            "bring it back, or start another run on it, perhaps with "
            f"init_from={folder}/last.ckpt"
        )
