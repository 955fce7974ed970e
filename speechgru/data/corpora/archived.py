"""Corpora that their hosts serve as archives."""

import shutil
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from speechgru.data.archive import extract_archive, locate_archive
from speechgru.data.corpora.archives import Archive
from speechgru.data.corpora.corpus import Corpus
from speechgru.data.corpora.counts import ReferenceCounts
from speechgru.data.corpora.left_out import LeftOut, write_left_out
from speechgru.data.source import PreparedReport
from speechgru.interfaces import InputError, Utterance


class DownloadedCorpus(Corpus):
    """What corpora of archives share: the archives, and what should be in them.

    Args:
        name: as for Corpus.
        root: as for Corpus.
        archive: path of the archive, or of the folder that holds all of them;
            None: look for them (see `locate_archive`).
        archives: of each its file, url, mirrors, size and digests; see `Archive`.
        utterances, hours, words: expected per split; see `ReferenceCounts`.

    Raises:
        InputError: archives are not described as they should be, or archive is
            one file where there are several.
    """

    patterns: tuple[str, ...]
    """Glob patterns of the files that matter, for the digest."""

    nested: tuple[str, ...] = ()
    """Glob patterns of archives inside an archive, which are unpacked, too."""

    def __init__(
        self,
        name: str,
        root: str | Path,
        archive: str | None,
        archives: Sequence[Mapping[str, Any]],
        utterances: Mapping[str, int | None] | None = None,
        hours: Mapping[str, float | None] | None = None,
        words: Mapping[str, int | None] | None = None,
    ) -> None:
        super().__init__(name, root)
        self.archive = archive
        self.archives = [
            Archive.of(options, place) for place, options in enumerate(archives)
        ]
        parts = [each.part for each in self.archives]
        if not parts or len(parts) != len(set(parts)):
            raise InputError(
                f"corpus {name}: archives are {', '.join(parts) or 'none'}, expected "
                "one or more with names of their own; correct corpus.archives"
            )
        if len(parts) > 1 and archive and Path(archive).expanduser().is_file():
            raise InputError(
                f"{archive}: one file, but {name} has {len(parts)} archives, expected "
                "the folder that holds them; set corpus.archive=FOLDER"
            )
        self.counts = ReferenceCounts(utterances, hours, words)

    @property
    def files(self) -> Path:
        """Folder of the unpacked archive, or of the folders of several."""
        return self.root / "files"

    def folder(self, archive: Archive) -> Path:
        """Where an archive is unpacked."""
        return self.files / archive.part

    def _unpack(self, archive: Archive) -> None:
        """See that the files of an archive are there, and what they should be."""
        folder = self.folder(archive)
        if folder.exists():
            archive.check_files(
                folder, self.patterns, "delete that folder and prepare again"
            )
            return
        path = locate_archive(
            self.archive,
            archive.file,
            archive.url,
            self.root,
            archive.mirrors,
            archive.size,
            archive.check_file,
        )
        extract_archive(path, folder, self.nested)
        try:
            archive.check_files(
                folder,
                self.patterns,
                f"{path} is damaged or another release: fetch {archive.url}",
            )
        except InputError:
            shutil.rmtree(folder)
            raise


class ArchivedCorpus(DownloadedCorpus):
    """A corpus that its host serves as one archive, or as several, all needed.

    One archive is unpacked into `<root>/files`, several each into a folder of its
    own there. Nothing is called prepared, and no manifest is written, before the
    digests of the files and the sizes of the splits are what is expected. The
    arguments are those of DownloadedCorpus.
    """

    def folder(self, archive: Archive) -> Path:
        """Where an archive is unpacked."""
        return self.files if len(self.archives) == 1 else super().folder(archive)

    def prepare(self) -> PreparedReport:
        """Find or download the archives, unpack, check, write the manifests.

        Raises:
            InputError: no archive, a damaged one, other files or sizes than
                expected.
        """
        for archive in self.archives:
            self._unpack(archive)
        splits, left_out = self._read_release()
        report = self._report(splits)
        self.counts.check(self.name, report.splits)
        self._write(splits)
        notes = [f"{self.name} {n}" for n in write_left_out(self.root, left_out)]
        return replace(report, notes=(*report.notes, *notes))

    def _read_release(self) -> tuple[dict[str, list[Utterance]], list[LeftOut]]:
        """Describe the unpacked files, and name those that cannot be used."""
        return self._read_files(), []

    @abstractmethod
    def _read_files(self) -> dict[str, list[Utterance]]:
        """Describe the unpacked files, split by split."""
