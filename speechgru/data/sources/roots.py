"""Where relative paths in the files of other systems begin."""

from collections.abc import Sequence
from pathlib import Path

from speechgru.interfaces import InputError


def find_root(place: str, first: str, folders: Sequence[Path]) -> Path:
    """The first of some folders that has a file.

    Most systems take paths from wherever they are started.

    Args:
        place: what names the file; for messages.
        first: a relative path.
        folders: where it may begin.

    Raises:
        InputError: it is below none of them.
    """
    for folder in folders:
        if (folder / first).exists():
            return folder
    raise InputError(
        f"{place}: {first} is not below any of "
        f"{', '.join(str(folder) for folder in folders)}; set corpus.root=FOLDER"
    )
