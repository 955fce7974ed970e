"""A folder of shards, on this machine or at an address."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from speechgru.data.archive import digest_file
from speechgru.data.manifest_table import open_manifest
from speechgru.data.shards.checking import describe_broken, find_broken
from speechgru.data.shards.contents import CONTENTS_FILE, Contents, Shard, read_contents
from speechgru.data.shards.fetching import fetch_file
from speechgru.data.shards.local_copies import LocalCopies
from speechgru.data.source import PreparedReport, UnknownSplitError, report
from speechgru.files import reason
from speechgru.interfaces import InputError, Utterance
from speechgru.remote import address_of, locate


class Shards:
    """What `speechgru shard` wrote.

    Args:
        name: what messages call it.
        folder: its path, or its address.

    Raises:
        InputError: no folder is given.
    """

    def __init__(self, name: str, folder: str | None) -> None:
        if folder is None:
            raise InputError(
                f"corpus {name}: no folder, expected one of speechgru shard; set "
                "corpus.folder=FOLDER, a path or an address"
            )
        self.name = name
        self._given = folder.rstrip("/") or folder
        self._contents_file = locate(f"{self._given}/{CONTENTS_FILE}")

    @property
    def splits(self) -> tuple[str, ...]:
        """Those that were written."""
        return tuple(self._contents.splits)

    @property
    def variant(self) -> str:
        """The name alone."""
        return self.name

    @cached_property
    def _contents(self) -> Contents:
        path = self._contents_file
        if address_of(path) is not None:
            path.unlink(missing_ok=True)  # what is there now may be another corpus
            fetch_file(path, None)
        try:
            return read_contents(path.read_bytes(), f"{self._given}/{CONTENTS_FILE}")
        except OSError as error:
            raise InputError(
                f"{path}: cannot be read ({reason(error)}), expected what speechgru "
                "shard writes last; correct corpus.folder, or let it go on: speechgru "
                f"shard corpus=NAME folder={self._given}"
            ) from error

    def read(self, split: str) -> Sequence[Utterance]:
        """The utterances of a split, in the order of their shards.

        Of an address, the index is fetched, but no shard.

        Raises:
            InputError: unknown split, or the index is missing or bad.
        """
        return open_manifest(self._index_path(split))

    def _index_path(self, split: str) -> Path:
        if split not in self.splits:
            raise UnknownSplitError(self.name, split, self.splits)
        index = self._contents.splits[split].index
        path = self._contents_file.with_name(index.name)
        if address_of(path) is not None:
            if path.exists() and digest_file(path, "sha256") != index.sha256:
                path.unlink()
            fetch_file(path, index)
        return path

    def prepare(self) -> PreparedReport:
        """Hold every shard to its size and digest; those of an address are fetched.

        Raises:
            InputError: some are broken.
        """
        shards = self._shards()
        broken = find_broken(shards, LocalCopies(shards, float("inf")))
        if broken:
            raise InputError(
                f"{describe_broken(broken)}\n{len(broken)} of {len(shards)} shards are "
                "broken; copy them again"
            )
        indices = {split: self._index_path(split) for split in self.splits}
        splits = {split: open_manifest(path) for split, path in indices.items()}
        return report(self.name, splits, indices)

    def _shards(self) -> Mapping[Path, Shard]:
        folder = self._contents_file.parent
        return {
            folder / shard.name: shard
            for split in self._contents.splits.values()
            for shard in split.shards
        }
