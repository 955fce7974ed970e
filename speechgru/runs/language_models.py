"""The language model that `speechgru lm RUN_FOLDER` has put into a run's folder."""

from pathlib import Path

from speechgru.interfaces import InputError
from speechgru.lm.binary import EXTENSION
from speechgru.runs.known import find_run

PREFIX = "lm"
"""Of the names of n-gram models in a run folder."""

_ENDINGS = (".arpa", EXTENSION)


def find_language_model(path: str | Path) -> Path:
    """The n-gram model in the folder of a run.

    Args:
        path: the folder, or a checkpoint in it.

    Raises:
        InputError: there is no run, or it holds none or several.
    """
    folder = find_run(path)
    if folder is None:
        raise InputError(
            "decoder.lm is not set, expected the language model to tune; make one by "
            "speechgru lm, and choose decoder=prefix_beam or flashlight"
        )
    found = [each for each in folder.glob(f"{PREFIX}-*") if each.suffix in _ENDINGS]
    if not found:
        raise InputError(
            f"decoder.lm is not set, and {folder} holds no language model to tune; "
            f"make one first: speechgru lm {folder}"
        )
    if len(found) > 1:
        names = ", ".join(sorted(each.name for each in found))
        raise InputError(
            f"decoder.lm is not set, and {folder} holds {names}, expected one; set "
            "decoder.lm=FILE"
        )
    return found[0]
