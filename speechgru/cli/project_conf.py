"""The choices of the project in whose folder a command is called."""

import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from speechgru.cli.overrides import quote
from speechgru.interfaces import InputError
from speechgru.options.choices import CONF_DIR, PROJECT_FILE
from speechgru.options.config_file import check_folder, read_config_text


def find_project_conf() -> Path | None:
    """The folder `conf/` here, if here is a project as `speechgru new` makes them.

    Raises:
        InputError: a file of it cannot be read, or says something to Hydra itself,
            which then could run anything: a folder may come from a stranger.
    """
    folder = Path("conf").absolute()
    if not Path(PROJECT_FILE).is_file() or not folder.is_dir():
        return None
    if folder.resolve() == CONF_DIR.resolve():
        return None
    check_folder(folder)
    for path in sorted(folder.rglob("*.yaml")):
        if _speaks_to_hydra(read_config_text(path)):
            raise InputError(
                f"{path}: says something to Hydra itself, expected options of "
                "speechgru alone; take it out, or, if you trust it, move it to another "
                "folder, given by --config-dir FOLDER"
            )
    return folder


def search_in(folders: Sequence[Path]) -> list[str]:
    """The option that lets Hydra look in folders, behind ours."""
    if not folders:
        return []
    places = ",".join(quote(f"file://{folder}", literal=True) for folder in folders)
    return [f"hydra.searchpath=[{places}]"]


def _speaks_to_hydra(text: str) -> bool:
    packages = re.findall(r"@package\s+(\S+)", text)
    values = [
        event.value
        for event in yaml.parse(text, Loader=yaml.SafeLoader)
        if isinstance(event, yaml.ScalarEvent)
    ]
    return any("hydra" in word.lower() for word in (*packages, *values))
