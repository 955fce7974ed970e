"""Finding the results that a page is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from speechgru.files import beside
from speechgru.interfaces import InputError
from speechgru.run_files import CONFIG_FILE
from speechgru.score.summary import read_summary


@dataclass(frozen=True)
class Source:
    """A file of results, and the run folder it lies in, if it is one."""

    path: Path
    run: Path | None

    @property
    def summary_path(self) -> Path:
        """Of what `evaluate` writes beside the results."""
        return beside(self.path, ".summary.json")

    def read_description(self) -> dict[str, Any] | None:
        """What `evaluate` wrote beside the results, if it did.

        Raises:
            InputError: the file is damaged.
        """
        return read_summary(self.summary_path) if self.summary_path.exists() else None


def find_results(path: Path) -> list[Source]:
    """The results in a run folder, or a file of results.

    Raises:
        InputError: the folder holds none.
    """
    folder = path if path.is_dir() else path.parent
    run = folder if (folder / CONFIG_FILE).exists() else None
    if not path.is_dir():
        return [Source(path, run)]
    sources = [Source(results, run) for results in sorted(path.glob("*.jsonl"))]
    found = [source for source in sources if source.summary_path.exists()]
    if not found:
        command = f"{path}" if run else f"{path / 'best.ckpt'} corpus=NAME"
        raise InputError(
            f"{path}: holds no results, expected those of `evaluate`; run first: "
            f"speechgru evaluate {command}"
        )
    return found


def check_output(output: Path, sources: Sequence[Source]) -> None:
    """See that the page does not take the place of what it is made of.

    Raises:
        InputError: it would.
    """
    for source in sources:
        for path in (source.path, source.summary_path):
            if output.resolve() == path.resolve():
                raise InputError(
                    f"{output}: the page would overwrite these results; set "
                    "output=PATH to another file"
                )


def short_names(sources: Sequence[Source]) -> list[str]:
    """Name each by as few parts of its path as tell them apart.

    Raises:
        InputError: two are the same.
    """
    paths = [source.path.absolute() for source in sources]
    if len({path.resolve() for path in paths}) < len(paths):
        raise InputError("the same results are given twice, expected different ones")
    bare = [beside(path, "") for path in paths]
    if len(set(bare)) == len(bare):
        paths = bare
    for length in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-length:]) for path in paths]
        if len(set(names)) == len(names):
            break
    return names
