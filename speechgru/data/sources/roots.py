"""Where relative paths in the files of other systems begin."""

import os
from collections.abc import Sequence
from pathlib import Path

from speechgru.data.sources.splits import Place, TranslatedSource
from speechgru.interfaces import InputError


class RootedSource(TranslatedSource):
    """Splits whose files name recordings by paths that may begin elsewhere.

    Args:
        name, train, dev, test: as in `SplitSource`.
        root: where relative paths begin; None: it is found out.
    """

    def __init__(
        self,
        name: str,
        train: Place,
        dev: Place,
        test: Place,
        root: str | None = None,
    ) -> None:
        own = os.getcwd() if root is None else os.path.abspath(os.path.expanduser(root))
        super().__init__(name, train, dev, test, root=own)
        self.root = None if root is None else Path(own)


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
