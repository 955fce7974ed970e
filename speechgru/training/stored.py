"""The configuration that a run folder keeps, which may be a stranger's."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from speechgru.checkpoint.load import load_checkpoint, load_language_model
from speechgru.checkpoint.storage import (
    DESCRIPTION_KEY,
    is_language_model,
    read_checkpoint,
)
from speechgru.cli.config import to_plain
from speechgru.cli.main import UsageError
from speechgru.files import get_number
from speechgru.interfaces import InputError
from speechgru.options.choices import CONF_DIR
from speechgru.options.config_file import read_config
from speechgru.training.run_files import CONFIG_FILE

STATE = {
    "epoch": int,
    "global_step": int,
    "loops": dict,
    "callbacks": dict,
    "optimizer_states": list,
    "lr_schedulers": list,
}
"""What Lightning restores, beside the weights."""


class StoredConfig(dict):
    """Plain values, of which one that is missing is the file's fault.

    Args:
        path: of the file.
        values: nested mappings become StoredConfig, too.
        name: of these values in the file, with a dot behind it.
    """

    def __init__(self, path: Path, values: Mapping[str, Any], name: str = "") -> None:
        super().__init__(
            {
                key: StoredConfig(path, value, f"{name}{key}.")
                if isinstance(value, Mapping)
                else value
                for key, value in values.items()
            }
        )
        self._path, self._name = path, name

    def __missing__(self, key: str) -> Any:
        """Raises InputError."""
        raise InputError(
            f"{self._path}: has no {self._name}{key}, expected what `speechgru train` "
            "wrote; bring the file back, or begin anew, perhaps with init_from"
        )

    def pop(self, key: str) -> Any:
        """Remove a value and return it. Raises InputError: there is none."""
        value = self[key]
        del self[key]
        return value


def read_stored(folder: Path, trust: Sequence[str]) -> StoredConfig:
    """Read and check the configuration of a run.

    Args:
        folder: of the run.
        trust: modules of the user's own, from the command line. Those that the
            file trusts are not: its author may not be the user.

    Raises:
        InputError: the file cannot be read, or holds what no run obeys.
    """
    path = folder / CONFIG_FILE
    config = read_config(path)
    recipe = config.pop("recipe", None)
    if recipe is not None and not isinstance(recipe, str):
        raise InputError(f"{path}: recipe is {recipe!r}, expected a name or null")
    _refuse_interpolations(config, path)
    for group, options in config.items():
        if (CONF_DIR / group).is_dir() and not isinstance(options, dict):
            raise InputError(
                f"{path}: {group} is {options!r}, expected its options; bring the "
                "file back as `speechgru train` wrote it"
            )
    try:
        plain = to_plain(OmegaConf.create({**config, "trust": list(trust)}), "train")
    except UsageError as error:
        raise InputError(f"{path}: {error}") from error
    return StoredConfig(path, {**plain, "recipe": recipe})


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
