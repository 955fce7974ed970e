"""NeMo's manifests whose audio lies in tar files, read where it is.

Source: https://docs.nvidia.com/nemo-framework/user-guide/latest/nemotoolkit/asr/datasets.html,
tarred datasets.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from speechgru.data.folder import find_paths
from speechgru.data.manifest import to_utterance
from speechgru.data.sources.braces import expand_braces
from speechgru.data.sources.lines import read_objects
from speechgru.data.sources.reading import Reading
from speechgru.data.sources.splits import Place, TranslatedSource
from speechgru.data.sources.tar_members import list_members
from speechgru.interfaces import InputError, Utterance
from speechgru.progress import track
from speechgru.records import show
from speechgru.remote import address_of, locate

Ranges = dict[str, tuple[int, int]]
"""First byte and size by the name of a member."""


class NemoCorpus(TranslatedSource):
    """Splits that are tarred manifests.

    Args:
        name, train, dev, test: as in `SplitSource`; a path with braces, such as
            manifest_{0..63}.json, is several files.
        tars: files of audio, relative to the folder of the manifest, with braces or *.
    """

    kind: ClassVar[str] = "tarred manifests"
    endings: ClassVar[str] = ".json"

    def __init__(
        self,
        name: str,
        train: Place,
        dev: Place,
        test: Place,
        tars: str = "audio_*.tar",
    ) -> None:
        super().__init__(name, train, dev, test, tars=tars)
        self.tars = tars

    def remote_files(self, path: Path) -> Iterable[Path]:
        """All files: the tars are needed to see what lies where in them."""
        return self.inputs(path)

    def inputs(self, path: Path) -> Iterable[Path]:
        """Manifests and tars."""
        yield from expand_path(path)
        yield from self._find_tars(path)

    def translate(self, path: Path, reading: Reading) -> Iterator[Utterance]:
        """Join the lines of the manifest to the members of the tars."""
        shards = _Shards(self._find_tars(path))
        for file in expand_path(path):
            for place, record in read_objects(file, "a manifest"):
                try:
                    utterance = to_utterance(record, file.parent)
                    tar, found = shards.find(record)
                except InputError as error:
                    reading.add_problem(f"{place}: {error}")
                    continue
                yield replace(utterance, audio_path=tar, byte_range=found)
        if shards.num_unused:
            reading.say(
                f"{shards.num_unused} files in the tars are in no line of the "
                "manifest, and are left out"
            )

    def _find_tars(self, path: Path) -> list[Path]:
        names = [locate(name, path.parent) for name in expand_braces(self.tars)]
        if "*" in self.tars and address_of(names[0]) is not None:
            raise InputError(
                f"{address_of(path)}: corpus.tars is {self.tars}, expected braces: an "
                "address does not tell what lies there; set "
                "corpus.tars='audio_{0..63}.tar'"
            )
        if "*" in self.tars:
            patterns = expand_braces(self.tars)
            found = (find_paths(pattern, path.parent) for pattern in patterns)
            names = [Path(each) for some in found for each in some]
        is_here = names and address_of(names[0]) is None
        if not names or (is_here and not names[0].exists()):
            raise InputError(
                f"{path}: no {self.tars} beside it, expected the tar files of its "
                "audio; set corpus.tars='audio_{0..63}.tar', or read audio that lies "
                "in files of its own by corpus=manifest"
            )
        return names


class _Shards:
    """Tars, whose members are listed when they are needed.

    Args:
        tars: in any order. The number of a shard is the last in its name.
    """

    def __init__(self, tars: list[Path]) -> None:
        self._tars = {_shard_id(tar, place): tar for place, tar in enumerate(tars)}
        if len(self._tars) < len(tars):
            raise InputError(
                f"{tars[0]}: two tars have the number of one shard, expected one each; "
                "correct corpus.tars"
            )
        self._last: tuple[int, Ranges] = (-1, {})
        self._all: dict[str, tuple[int, tuple[int, int]]] | None = None
        self._sizes: dict[int, int] = {}
        self._used: set[tuple[int, int]] = set()

    @property
    def num_unused(self) -> int:
        """Members of the tars so far that no line has asked for."""
        return sum(self._sizes.values()) - len(self._used)

    def find(self, record: dict[str, Any]) -> tuple[Path, tuple[int, int]]:
        """Tar and byte range of a line that was checked; InputError: there is none."""
        name = record["audio_filepath"]
        shard = record.get("shard_id")
        if shard is None:
            place = self._index_all().get(name)
            if place is None:
                raise InputError(
                    f"{show(name)} is in none of {len(self._tars)} tars, expected it "
                    "in one; correct corpus.tars, or the line"
                )
            shard, found = place
        else:
            if type(shard) is not int or shard not in self._tars:
                raise InputError(
                    f"shard_id is {show(shard)}, expected one of the {len(self._tars)} "
                    "tars; correct corpus.tars, or the line"
                )
            ranges = self._list(shard)
            if name not in ranges:
                raise InputError(
                    f"{show(name)} is not in {self._tars[shard]}, expected it there; "
                    "copy the tar again, or correct the line"
                )
            found = ranges[name]
        if not found[1]:
            raise InputError(
                f"{show(name)} in {self._tars[shard]} has 0 bytes, expected a "
                "recording; make the tar anew, or drop the line"
            )
        self._used.add((shard, found[0]))
        return self._tars[shard], found

    def _list(self, shard: int) -> Ranges:
        # Lines of one shard follow each other.
        if self._last[0] != shard:
            ranges: Ranges = {}
            for member in list_members(self._tars[shard]):
                if member.name in ranges:
                    raise InputError(
                        f"{self._tars[shard]}: {show(member.name)} is in it twice, "
                        "expected once; make the tar anew"
                    )
                ranges[member.name] = (member.start, member.size)
            self._last = (shard, ranges)
            self._sizes[shard] = len(ranges)
        return self._last[1]

    def _index_all(self) -> dict[str, tuple[int, tuple[int, int]]]:
        if self._all is None:
            self._all = {}
            for shard in track(self._tars, "listing tars", "tars"):
                for name, found in self._list(shard).items():
                    if name in self._all:
                        raise InputError(
                            f"{self._tars[shard]}: {show(name)} is in another tar as "
                            "well, expected a shard_id in the manifest; add it"
                        )
                    self._all[name] = (shard, found)
        return self._all


def expand_path(path: Path) -> list[Path]:
    """The files of a path with braces."""
    return [path.with_name(name) for name in expand_braces(path.name)]


def _shard_id(tar: Path, place: int) -> int:
    numbers = re.findall(r"\d+", tar.name)
    return int(numbers[-1]) if numbers else place
