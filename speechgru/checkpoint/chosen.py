"""Which checkpoint is meant where the folder of a run is named."""

from pathlib import Path

from speechgru.files import printable
from speechgru.interfaces import InputError
from speechgru.progress import say_line
from speechgru.run_files import BEST, CONFIG_FILE, LAST


def find_checkpoint(path: str | Path) -> Path:
    """The checkpoint at a path: the file itself, or of a run folder the best.

    A run that was never validated so far has but its last one.

    Raises:
        InputError: a folder that holds neither.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    if found := checkpoints_in(path):
        return found[0]
    remedy = "name a checkpoint, or the folder of a run"
    if (path / CONFIG_FILE).is_file():
        remedy = (
            "wait for the end of its first epoch, or go on with it: speechgru train "
            f"resume={path}"
        )
    raise InputError(
        f"{path}: holds no {BEST} and no {LAST}, expected one of them; {remedy}"
    )


def choose_checkpoint(path: str | Path) -> Path:
    """As `find_checkpoint`, and say which one it is if a folder was named."""
    checkpoint = find_checkpoint(path)
    if checkpoint != Path(path):
        say_line(printable(f"checkpoint: {checkpoint}"))
    return checkpoint


def checkpoints_in(folder: Path) -> list[Path]:
    """The checkpoints that a run folder has by now, the best first."""
    return [folder / name for name in (BEST, LAST) if (folder / name).is_file()]
