"""The options that a run folder keeps, which may be a stranger's."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from speechgru.checkpoint.load import load_checkpoint, load_language_model
from speechgru.checkpoint.renamed import with_current_names
from speechgru.checkpoint.storage import (
    DESCRIPTION_KEY,
    is_language_model,
    read_checkpoint,
)
from speechgru.interfaces import InputError
from speechgru.options.config_file import read_config
from speechgru.options.training import TrainOptions
from speechgru.ranges import OptionError
from speechgru.records import get_number
from speechgru.run_files import CONFIG_FILE, WAS

STATE = {
    "epoch": int,
    "global_step": int,
    "loops": dict,
    "callbacks": dict,
    "optimizer_states": list,
    "lr_schedulers": list,
}
"""What Lightning restores, beside the weights."""


def read_stored(folder: Path, trust: Sequence[str]) -> tuple[TrainOptions, str | None]:
    """Read and check the options of a run, and the name of its recipe.

    Args:
        folder: of the run.
        trust: modules of the user's own, from the command line. Those that the
            file trusts are not: its author may not be the user.

    Raises:
        InputError: the file cannot be read, or holds what no run obeys.
    """
    path = folder / CONFIG_FILE
    config = read_config(path)
    config.pop(WAS, None)
    recipe = config.pop("recipe", None)
    if recipe is not None and not isinstance(recipe, str):
        raise InputError(f"{path}: recipe is {recipe!r}, expected a name or null")
    _refuse_interpolations(config, path)
    try:
        return read_any_version({**config, "trust": list(trust)}), recipe
    except OptionError as error:
        raise InputError(
            f"{path}: {error}; expected what `speechgru train` wrote: bring the file "
            "back, or begin anew, perhaps with init_from"
        ) from error


def read_any_version(config: Mapping[str, Any]) -> TrainOptions:
    """The options of a run that any version has begun. Raises OptionError."""
    return TrainOptions.read(with_current_names(config), is_stored=True)


def read_last(path: Path, trust: Sequence[str]) -> dict[str, Any]:
    """Read the description in a checkpoint to resume from, if that is possible.

    Args:
        path: of the checkpoint.
        trust: modules of the user's own, from the command line.

    Raises:
        InputError: see `load_checkpoint`; or it does not hold the state of a run.
    """
    checkpoint = read_checkpoint(path)
    for key, kind in STATE.items():
        found = checkpoint.get(key)
        if not isinstance(found, kind):
            raise InputError(
                f"{path}: its {key} is a {type(found).__name__}, expected a "
                f"{kind.__name__}: it does not hold the state of a run, as best.ckpt "
                "and averages do not; begin anew with init_from"
            )
    description = checkpoint[DESCRIPTION_KEY]
    for key in ("step", "cpu_seconds"):
        try:
            get_number(description["metadata"], key, "a number")
        except (KeyError, InputError) as error:
            raise InputError(
                f"{path}: its metadata have no number {key}, expected the last "
                "checkpoint of a run; begin anew with init_from"
            ) from error
    del checkpoint
    load = load_language_model if is_language_model(description) else load_checkpoint
    load(path, trust)  # that the weights fit, before data are read
    return description


def _refuse_interpolations(value: Any, path: Path) -> None:
    """What was written is resolved; anything else might read the environment."""
    if isinstance(value, Mapping):
        for pair in value.items():
            for item in pair:
                _refuse_interpolations(item, path)
    elif isinstance(value, list):
        for item in value:
            _refuse_interpolations(item, path)
    elif isinstance(value, str) and "${" in value:
        raise InputError(
            f"{path}: holds {value!r}, expected plain values; interpolations are "
            "refused"
        )
