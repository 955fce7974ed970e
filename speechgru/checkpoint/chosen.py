"""Which checkpoint is meant where the folder of a run is named."""

from pathlib import Path

from speechgru.interfaces import InputError

BEST, LAST = "best.ckpt", "last.ckpt"
"""Names that training gives them: the lowest error on dev, and the latest."""


def find_checkpoint(path: str | Path) -> Path:
    """The checkpoint at a path: the file itself, or of a run folder the best.

    A run that was never validated so far has but its last one.

    Raises:
        InputError: a folder that holds neither.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    for name in (BEST, LAST):
        if (path / name).is_file():
            return path / name
    remedy = "name a checkpoint, or the folder of a run"
    if (path / "config.yaml").is_file():
        remedy = (
            "wait for the end of its first epoch, or go on with it: speechgru train "
            f"resume={path}"
        )
    raise InputError(
        f"{path}: holds no {BEST} and no {LAST}, expected one of them; {remedy}"
    )
