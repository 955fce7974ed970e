"""Corpora of many archives, of which a user may have some."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from speechgru.data.archive import find_archive
from speechgru.data.corpora.archived import DownloadedCorpus
from speechgru.data.corpora.archives import Archive
from speechgru.data.manifest import write_manifest
from speechgru.data.manifest_table import open_manifest
from speechgru.data.source import PreparedReport, UnknownSplitError, report
from speechgru.data.utterances import join
from speechgru.interfaces import InputError, Utterance
from speechgru.ranges import nearest


class PartedCorpus(DownloadedCorpus):
    """A corpus whose archives are parts, each of use without the others.

    A part is called as its archive, without the endings. It has a manifest of its
    own; a split is one part or several, joined when it is read. Every part that a
    split names and that is there is prepared; a split that lacks one is an error
    when it is asked for.

    Args:
        name: as for Corpus.
        root: as for Corpus.
        archive: as for DownloadedCorpus.
        archives: as for DownloadedCorpus, one a part.
        parts: names of the parts of each split; [] for a split that is to be empty,
            such as dev where a fold of train is held out.
        download: fetch the parts of the splits that are not there. Otherwise
            nothing is fetched: they may be tens of GB.
        utterances, hours, words: expected per part; see `ReferenceCounts`.

    Raises:
        InputError: as for DownloadedCorpus; or a split names no part that there is.
    """

    def __init__(
        self,
        name: str,
        root: str | Path,
        archive: str | None,
        archives: Sequence[Mapping[str, Any]],
        parts: Mapping[str, Sequence[str]],
        download: bool,
        utterances: Mapping[str, int | None] | None = None,
        hours: Mapping[str, float | None] | None = None,
        words: Mapping[str, int | None] | None = None,
    ) -> None:
        super().__init__(name, root, archive, archives, utterances, hours, words)
        self.parts = {split: list(names) for split, names in parts.items() if names}
        self._empty = [split for split, names in parts.items() if not names]
        self.download = download
        self._by_part = {each.part: each for each in self.archives}
        for split, names in self.parts.items():
            for part in names:
                if part not in self._by_part:
                    raise InputError(
                        f"corpus.parts.{split} names '{part}', expected some of: "
                        f"{', '.join(self._by_part)}{nearest(part, self._by_part)}"
                    )

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits all of whose parts are prepared; before any is, all."""
        ready = tuple(split for split in self.parts if not self._unready(split))
        return ready or tuple(self.parts)

    @property
    def variant(self) -> str:
        """The name, and the parts of train."""
        return "-".join([self.name, *self.parts.get("train", ())])

    def read(self, split: str) -> Sequence[Utterance]:
        """The utterances of a split, part by part; none of one that has no parts.

        Raises:
            InputError: unknown split, a part that is not prepared, or a bad
                manifest.
        """
        if split in self._empty:
            return []
        if split not in self.parts:
            raise UnknownSplitError(self.name, split, self.parts)
        unready = self._unready(split)
        if unready:
            raise InputError(
                f"{self.name} {split}: {', '.join(unready)} is not prepared, expected "
                f"{', '.join(self.parts[split])}; {self._remedy(unready)}, then run: "
                f"{self.prepare_command}"
            )
        manifests = map(self._part_manifest, self.parts[split])
        return join(*map(open_manifest, manifests))

    def prepare(self) -> PreparedReport:
        """Unpack, check and describe every part that there is.

        Raises:
            InputError: no part at all, a damaged one, other files or sizes than
                expected.
        """
        wanted = dict.fromkeys(part for names in self.parts.values() for part in names)
        present = [part for part in wanted if self._is_there(self._by_part[part])]
        absent = [part for part in wanted if part not in present]
        if not present:
            raise InputError(
                f"{self.name}: none of its archives is there, expected one or more of "
                f"{', '.join(self._by_part[part].file for part in wanted)}; "
                f"{self._remedy(absent)}"
            )
        splits = {part: self._prepare_part(part) for part in present}
        manifests = {part: self._part_manifest(part) for part in present}
        lines = [
            f"{self.name} {part}: absent; {self._remedy([part])}" for part in absent
        ]
        return report(self.name, splits, manifests, lines)

    @abstractmethod
    def _read_part(self, part: str, folder: Path) -> list[Utterance]:
        """Describe the files of a part.

        Args:
            part: name.
            folder: of its unpacked archive, without the one folder that holds
                everything, if there is such a one.

        Returns:
            Utterances, whose ids are unique among all parts.
        """

    def _prepare_part(self, part: str) -> list[Utterance]:
        archive = self._by_part[part]
        self._unpack(archive)
        utterances = self._read_part(part, self.folder(archive))
        path = self._part_manifest(part)
        sizes = report(self.name, {part: utterances}, {part: path}).splits
        self.counts.check(self.name, sizes)
        write_manifest(path, utterances)
        return utterances

    def _part_manifest(self, part: str) -> Path:
        return self.root / f"{part}.jsonl"

    def _unready(self, split: str) -> list[str]:
        return [p for p in self.parts[split] if not self._part_manifest(p).exists()]

    def _is_there(self, archive: Archive) -> bool:
        """Whether a part can be prepared, by a download where that is wanted."""
        return (
            self.download
            or self.folder(archive).exists()
            or find_archive(self.archive, archive.file, self.root) is not None
        )

    def _remedy(self, parts: Sequence[str]) -> str:
        archives = [self._by_part[part] for part in parts]
        sources = ", ".join(archive.url or archive.file for archive in archives)
        if self.archive is not None:
            return f"fetch {sources} into {self.archive}"
        remedy = f"fetch {sources} into a folder and set corpus.archive=FOLDER"
        if all(archive.url is not None for archive in archives):
            remedy += " (or SPEECHGRU_ARCHIVES), or set corpus.download=true"
        return remedy
