"""The language model that `speechgru lm RUN_FOLDER` has put into a run's folder."""

from pathlib import Path

from speechgru.interfaces import InputError
from speechgru.lm.binary import EXTENSION
from speechgru.runs.known import find_run

PREFIX = "lm"
"""Of the names of n-gram models in a run folder."""

_ENDINGS = (".arpa", EXTENSION)


def find_language_model(path: str | Path) -> Path | None:
    """The n-gram model in the folder of a run.

    Args:
        path: the folder, or a checkpoint in it.

    Returns:
        None: there is none.

    Raises:
        InputError: there are several.
    """
    folder = find_run(path)
    if folder is None:
        return None
    found = [each for each in folder.glob(f"{PREFIX}-*") if each.suffix in _ENDINGS]
    if len(found) > 1:
        names = ", ".join(sorted(each.name for each in found))
        raise InputError(
            f"decoder.lm is not set, and {folder} holds {names}, expected one; set "
            "decoder.lm=FILE"
        )
    return found[0] if found else None
