"""Splits that lie where the user has them: what all sources can do."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from speechgru.data.manifest_table import open_manifest
from speechgru.data.source import PreparedReport, UnknownSplitError, report
from speechgru.data.sources.index import SourceIndex, join_manifests
from speechgru.data.sources.reading import Reading
from speechgru.interfaces import InputError, Utterance
from speechgru.ranges import OptionError
from speechgru.remote import address_of, fetch, locate

PICKLED = (".pkl", ".pickle", ".pt", ".pth", ".joblib", ".npy", ".npz")
"""Endings of files that may run code when they are read, or hold no audio."""


Place = str | Sequence[str] | None
"""A path or an address, or several, which together are a split; None: it has none."""


class SplitSource(ABC):
    """Splits of the user's own, each at a path or an address, or at several.

    Args:
        name: what messages call it.
        train: to train on, or None.
        dev: to choose the best checkpoint by, or None.
        test: to score, or None.

    Raises:
        InputError: no split at all.
        OptionError: a split is no path, and no list of paths.
    """

    kind: ClassVar[str] = "manifests"
    """What the splits are, for messages."""
    endings: ClassVar[str] = ".jsonl"
    """Of the paths of splits, for messages."""

    def __init__(self, name: str, train: Place, dev: Place, test: Place) -> None:
        given = {"train": train, "dev": dev, "test": test}
        self._paths = {
            split: _locate_all(split, place)
            for split, place in given.items()
            if place is not None
        }
        if not self._paths:
            raise InputError(
                f"corpus {name}: no {self.kind}, expected one or more; set "
                f"corpus.train=A{self.endings} corpus.dev=B{self.endings} "
                f"corpus.test=C{self.endings}"
            )
        self.name = name
        self.splits = tuple(self._paths)
        self._all = tuple(given)

    @property
    def variant(self) -> str:
        """The name alone."""
        return self.name

    def split_paths(self, split: str) -> Sequence[Path]:
        """Where a split lies. Raises InputError: it was not given, or is pickled."""
        if split not in self.splits:
            remedy = f"; set corpus.{split}=PATH" if split in self._all else ""
            raise UnknownSplitError(self.name, split, self.splits, remedy)
        for path in self._paths[split]:
            if path.suffix.lower() in PICKLED:
                raise InputError(
                    f"{path}: pickled data or arrays, expected {self.kind}; refused, "
                    "since it may run code: export it as one of those that are read"
                )
        return self._paths[split]

    def manifest_path(self, split: str) -> Path:
        """The manifest of a split; that of several paths is in the cache.

        Raises:
            InputError: unknown split, or bad data.
        """
        paths = self.split_paths(split)
        manifests = [self.part_manifest(path) for path in paths]
        return manifests[0] if len(paths) == 1 else join_manifests(paths, manifests)

    @abstractmethod
    def part_manifest(self, path: Path) -> Path:
        """The manifest of one of a split's paths. Raises InputError: bad data."""

    def read(self, split: str) -> Sequence[Utterance]:
        """The utterances of a split. Raises InputError: missing or bad."""
        return open_manifest(self.manifest_path(split))

    def prepare(self) -> PreparedReport:
        """Read and count all splits; nothing is written but to the cache."""
        # Each path once: what a source is read as is held against its files then.
        manifests = {split: self.manifest_path(split) for split in self.splits}
        splits = {split: open_manifest(path) for split, path in manifests.items()}
        return report(self.name, splits, manifests)


def _locate_all(split: str, place: str | Sequence[str]) -> Sequence[Path]:
    """The paths of a split."""
    places = [place] if isinstance(place, str) else place
    is_list = isinstance(places, (list, tuple))
    if not is_list or not places or not all(isinstance(each, str) for each in places):
        raise OptionError(
            f"{split} is {place!r}, expected a path, or a list of at least one"
        )
    if isinstance(place, str) and _are_several(place):
        raise OptionError(f"{split} is {place!r}, expected a list of them: [{place}]")
    if len({*places}) < len(places):
        raise OptionError(f"{split} is {place!r}, expected each path once; remove one")
    return [locate(each) for each in places]


def _are_several(place: str) -> bool:
    """Whether a path that is not there names, with commas, some that are."""
    names = place.split(",")
    if len(names) < 2 or os.path.lexists(place):
        return False
    return all(os.path.lexists(os.path.expanduser(name)) for name in names)


class TranslatedSource(SplitSource):
    """Splits that are no manifests, but read as such, once, into the cache.

    Args:
        name, train, dev, test: as in `SplitSource`.
        options: what makes a difference to what is read.
    """

    def __init__(
        self,
        name: str,
        train: Place,
        dev: Place,
        test: Place,
        **options: Any,
    ) -> None:
        super().__init__(name, train, dev, test)
        cls = type(self)
        self._described = {"class": f"{cls.__module__}.{cls.__qualname__}", **options}

    def part_manifest(self, path: Path) -> Path:
        """The manifest in the cache, made anew where it is stale."""
        if address_of(path) is not None:
            for file in self.remote_files(path):
                fetch(file, is_latest=True)
        return SourceIndex(path, self._described).open(
            lambda: self.inputs(path), lambda reading: self.translate(path, reading)
        )

    def remote_files(self, path: Path) -> Iterable[Path]:
        """What to fetch of a split at an address, but for the audio.

        Raises:
            InputError: it is a folder, whose files an address does not tell.
        """
        raise InputError(
            f"{address_of(path)}: {self.kind} cannot be read at an address, expected "
            "a folder of this machine; copy it"
        )

    @abstractmethod
    def inputs(self, path: Path) -> Iterable[Path]:
        """The files that describe a split, whose change makes a difference."""

    @abstractmethod
    def translate(self, path: Path, reading: Reading) -> Iterator[Utterance]:
        """Read a split. Raises InputError; mistakes may go to `reading` as well."""
