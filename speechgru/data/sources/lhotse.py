"""Lhotse's cuts, as a manifest or as Shar, whose tars are read in place.

Source: https://lhotse.readthedocs.io/en/latest/. The library itself is not needed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any, ClassVar

import orjson

from speechgru.data.sources.cuts import Cut, read_cut
from speechgru.data.sources.lines import read_objects
from speechgru.data.sources.reading import Reading
from speechgru.data.sources.roots import RootedSource, find_root
from speechgru.data.sources.tar_members import LARGEST_HEADER, Member, list_members
from speechgru.interfaces import InputError, Utterance
from speechgru.records import show
from speechgru.remote import address_of, locate


class LhotseCorpus(RootedSource):
    """Splits that are cuts of one channel and one supervision each.

    Args:
        name, train, dev, test: as in `SplitSource`: files such as cuts.jsonl.gz, or
            folders in the format Shar.
        root: where relative paths begin; None: at the working directory or the folder
            of the manifest, wherever the first recording is.
    """

    kind: ClassVar[str] = "manifests of cuts"
    endings: ClassVar[str] = ".jsonl.gz"

    def remote_files(self, path: Path) -> Iterable[Path]:
        """The manifest; a folder in the format Shar cannot be listed."""
        return [path] if ".jsonl" in path.suffixes else super().remote_files(path)

    def inputs(self, path: Path) -> Iterable[Path]:
        """The manifest, or cuts and tars."""
        if not path.is_dir():
            return [path]
        return [file for pair in _find_shards(path) for file in pair]

    def translate(self, path: Path, reading: Reading) -> Iterator[Utterance]:
        """Read cut by cut."""
        left_out: Counter[str] = Counter()
        cuts = (
            self._read_shar(path, reading)
            if path.is_dir()
            else self._read_manifest(path, reading)
        )
        for cut, audio_path, byte_range in cuts:
            left_out.update(cut.left_out)
            yield Utterance(
                id=cut.id,
                audio_path=audio_path,
                duration=cut.duration,
                text=cut.text,
                speaker=cut.speaker,
                offset=cut.start,
                partial=not cut.is_whole,
                byte_range=byte_range,
            )
        if left_out:
            counts = ", ".join(f"{key} of {left_out[key]}" for key in sorted(left_out))
            reading.say(f"left out of cuts: {counts}")

    def _read_manifest(
        self, path: Path, reading: Reading
    ) -> Iterator[tuple[Cut, Path, None]]:
        # What lies beside it at an address is not here yet.
        root = path.parent if address_of(path) else self.root
        for place, record in read_objects(path, "a manifest of cuts"):
            try:
                cut = read_cut(record, None)
                if cut.source.kind == "shar":
                    raise InputError(
                        "its audio lies in a tar of Shar, expected a file; give the "
                        "folder of the shards"
                    )
                file = locate(cut.source.place)
            except InputError as error:
                reading.add_problem(f"{place}: {error}")
                continue
            if root is None and not file.is_absolute():
                places = [Path.cwd(), path.parent]
                root = find_root(place, cut.source.place, places)
            yield cut, file if root is None else root / file, None

    def _read_shar(
        self, path: Path, reading: Reading
    ) -> Iterator[tuple[Cut, Path, tuple[int, int]]]:
        for cuts, tar in _find_shards(path):
            records = read_objects(cuts, "a manifest of cuts")
            for found, pair in zip_longest(records, _read_pairs(tar)):
                if found is None or pair is None:
                    more = tar if found is None else cuts
                    raise InputError(
                        f"{more}: holds more than its cuts or tar beside it, expected "
                        "as many; copy the shard again"
                    )
                place, record = found
                key, data, recording = pair
                try:
                    if key != record.get("id"):
                        raise InputError(
                            f"id is {show(record.get('id'))}, expected that of the "
                            f"tar, {show(key)}; copy the shard again"
                        )
                    if data is None:
                        recording = {}
                    cut = read_cut({**record, "recording": None}, recording)
                except InputError as error:
                    reading.add_problem(f"{place}: {error}")
                    continue
                assert data is not None  # else there was no recording
                yield cut, tar, (data.start, data.size)


def _find_shards(folder: Path) -> list[tuple[Path, Path]]:
    """Cuts and the tar of their recordings, by the number of the shard."""
    cuts = {
        file.name.split(".")[1]: file for file in sorted(folder.glob("cuts.*.jsonl*"))
    }
    tars = {
        file.name.split(".")[1]: file
        for file in sorted(folder.glob("recording.*.tar*"))
    }
    if not cuts:
        raise InputError(
            f"{folder}: no cuts.000000.jsonl.gz, expected a folder in the format Shar; "
            "correct the path"
        )
    if cuts.keys() != tars.keys():
        number = sorted(cuts.keys() ^ tars.keys())[0]
        raise InputError(
            f"{folder}: shard {number} lacks its cuts or its recording.{number}.tar, "
            "expected both; copy the folder again, or write it with the field recording"
        )
    return [(cuts[number], tars[number]) for number in sorted(cuts)]


def _read_pairs(
    tar: Path,
) -> Iterator[tuple[str, Member | None, dict[str, Any] | None]]:
    """Key, audio and recording of each cut; None where it has no audio."""
    members = list_members(tar)
    for data in members:
        meta = next(members, None)
        key, _, ending = data.name.rpartition(".")
        if meta is None or meta.name.rpartition(".")[0] != key:
            raise InputError(
                f"{tar}: {show(data.name)} is not followed by its recording, expected "
                f"{show(key + '.json')}; copy the shard again"
            )
        if ending == "nodata":
            yield key, None, None
        else:
            yield key, data, _read_meta(tar, meta)


def _read_meta(tar: Path, meta: Member) -> dict[str, Any]:
    try:
        with tar.open("rb") as file:
            file.seek(meta.start)
            recording = orjson.loads(file.read(min(meta.size, LARGEST_HEADER)))
        if not isinstance(recording, dict):
            raise ValueError("no object")
    except (OSError, ValueError) as error:
        raise InputError(
            f"{tar}: {show(meta.name)} is no recording ({error}), expected one in "
            "JSON; copy the shard again"
        ) from error
    return recording
