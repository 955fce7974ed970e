"""What may change when a run goes on, and what would make it another run."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser

from speechgru.cli.main import UsageError
from speechgru.cli.runs import flatten
from speechgru.data.inventory import (
    INVENTORY_FILE,
    Inventory,
    Record,
    by_id,
    find_differences,
    read_inventory,
    write_inventory,
)
from speechgru.interfaces import InputError
from speechgru.options.choices import CONF_DIR
from speechgru.options.config_file import read_config

log = logging.getLogger(__name__)

HARDWARE = ("trainer.accelerator", "trainer.devices", "trainer.strategy")
"""What `trainer=CHOICE` changes of a run that goes on."""

MAY_CHANGE = (
    *HARDWARE,
    *("trainer.num_threads", "trainer.max_epochs", "trainer.log_every_n_steps"),
    *("data.num_workers", "callbacks.early_stopping_patience"),
    *("callbacks.save_every", "callbacks.keep_every", "callbacks.draw_every"),
    *("logger.csv", "logger.tensorboard"),
)
"""Options that leave what is learnt as it is, or say what they change."""

COUNTS_OR_NONE = ("callbacks.early_stopping_patience", "callbacks.keep_every")

NOT_OBEYED = ("data.check", "data.on_error", "data_dir", "runs_dir", "init_from")
"""Options that only the start of a run obeys. Data is held to its inventory."""


def parse_overrides(overrides: Sequence[str]) -> dict[str, Any]:
    """Read KEY=VALUE or trainer=CHOICE beside resume=RUN_FOLDER.

    Returns:
        Values by the full names of options.

    Raises:
        UsageError: an option that cannot change.
    """
    changes: dict[str, Any] = {}
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        key, text = override.key_or_group, override.input_line
        if override.is_delete() or override.is_add() or override.is_sweep_override():
            raise UsageError(f"{text}: expected KEY=VALUE beside resume=RUN_FOLDER")
        if key == "trainer":
            choice = _read_choice(str(override.value()))
            changes |= {
                name: choice[name.removeprefix("trainer.")] for name in HARDWARE
            }
        elif key in MAY_CHANGE:
            changes[key] = override.value()
        else:
            raise UsageError(
                f"{text}: a run goes on as it began, or it would be another; beside "
                f"resume=RUN_FOLDER there can be: trainer=CHOICE, "
                f"{', '.join(MAY_CHANGE)}. To change anything else, start another run, "
                "perhaps with init_from=CHECKPOINT"
            )
    return changes


def apply_changes(config: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Change the configuration of a run that goes on.

    Args:
        config: of the run, as it was written; changed in place.
        changes: from `parse_overrides`.

    Raises:
        UsageError: a value of another type.
    """
    for key, value in changes.items():
        group, _, name = key.partition(".")
        before = config[group].get(name)
        if isinstance(before, float) and type(value) is int:
            value = float(value)
        expected = int if key in COUNTS_OR_NONE else type(before)
        if not (
            key in HARDWARE
            or type(value) is expected
            or (value is None and key in COUNTS_OR_NONE)
        ):
            raise UsageError(f"{key} is {value!r}, expected {expected.__name__}")
        config[group][name] = value


def _read_choice(name: str) -> dict[str, Any]:
    """The options of a choice of the group trainer, with those it is based on."""
    path = CONF_DIR / "trainer" / f"{name}.yaml"
    if not path.is_file():
        known = sorted(path.stem for path in path.parent.glob("*.yaml"))
        raise UsageError(f"trainer={name}: expected one of: {', '.join(known)}")
    options = read_config(path)
    below: dict[str, Any] = {}
    for base in options.pop("defaults", []):
        below |= _read_choice(base)
    return below | options


def check_changes(
    before: Mapping[str, Any], now: Mapping[str, Any], folder: Path
) -> None:
    """Say what has changed since the last checkpoint, or refuse it.

    Args:
        before: configuration that the last checkpoint was trained with; empty: it
            does not say.
        now: configuration to go on with.
        folder: of the run.

    Raises:
        InputError: the run would become another one.
    """
    then, here = flatten(before or now), flatten(now)
    for key in sorted(then.keys() | here.keys()):
        was, value = then.get(key), here.get(key)
        if was == value or key.startswith(("corpus.", "trust")) or key in NOT_OBEYED:
            continue
        if key not in MAY_CHANGE:
            raise InputError(
                f"{folder}: {key} was {was!r} when the last checkpoint was saved, is "
                f"{value!r} now; a run goes on as it began: set it back in "
                f"config.yaml, or start another, perhaps with init_from="
                f"{folder}/last.ckpt"
            )
        log.info("%s: %s from here on, was %s", key, value, was)
        if key in (*HARDWARE, "trainer.num_threads"):
            log.info(
                "the steps stay the same, but sums of floating-point numbers are "
                "taken in another order: last digits will differ"
            )


def check_epochs(max_epochs: int, done: int, folder: Path) -> None:
    """Raise InputError if more epochs are done than are wanted."""
    if max_epochs < done:
        raise InputError(
            f"{folder}: trainer.max_epochs is {max_epochs}, but {done} epochs are "
            f"done; expected {done} or more"
        )
    if max_epochs == done:
        log.info(
            "all %d epochs are done; to train on: speechgru train resume=%s "
            "trainer.max_epochs=N",
            done,
            folder,
        )


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


def to_builtin(value: Any) -> Any:
    """Plain values in nothing but dicts and lists, apart from the given ones."""
    if isinstance(value, Mapping):
        return {key: to_builtin(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_builtin(item) for item in value]
    return value
