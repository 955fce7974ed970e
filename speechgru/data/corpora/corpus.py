"""What every corpus can do: prepare itself, and hand out its splits."""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from speechgru.audio import inspect_audio
from speechgru.data.archive import digest_tree, extract_archive, locate_archive
from speechgru.data.manifest import read_manifest, write_manifest
from speechgru.interfaces import InputError, Utterance
from speechgru.ranges import COUNT, Range, check, nearest, whole


@dataclass(frozen=True)
class SplitSize:
    """How much is in a split.

    Attributes:
        utterances: how many.
        hours: h of audio.
        words: in the transcripts, as separated by spaces.
        manifest: where it is described.
    """

    utterances: int
    hours: float
    words: int
    manifest: Path


@dataclass(frozen=True)
class PreparedReport:
    """What `prepare` made; `str()` gives lines for people.

    Attributes:
        corpus: name.
        splits: size of each split, in order.
    """

    corpus: str
    splits: Mapping[str, SplitSize]

    def __str__(self) -> str:
        return "\n".join(
            f"{self.corpus} {split}: {size.utterances} utterances, "
            f"{size.hours:.3f} h, {size.words} words, {size.manifest}"
            for split, size in self.splits.items()
        )


class Corpus(ABC):
    """A named corpus whose splits are manifests in one folder.

    Args:
        name: what messages and commands call it.
        root: folder of the manifests and, for most corpora, the audio.
    """

    splits: tuple[str, ...] = ("train", "dev", "test")

    def __init__(self, name: str, root: str | Path) -> None:
        self.name = name
        self.root = Path(root)

    @property
    def variant(self) -> str:
        """The name, and which it is where there are several of that name."""
        return self.name

    @property
    def prepare_command(self) -> str:
        """What a message tells people to run."""
        return f"speechgru prepare corpus={self.name}"

    def manifest_path(self, split: str) -> Path:
        """Where a split is described. Raises InputError: unknown split."""
        if split not in self.splits:
            raise InputError(
                f"unknown split '{split}'; {self.name} has: {', '.join(self.splits)}"
                f"{nearest(split, self.splits)}"
            )
        return self.root / f"{split}.jsonl"

    def read(self, split: str) -> list[Utterance]:
        """The utterances of a split, in the order of its manifest.

        Raises:
            InputError: unknown split, not prepared, or a bad manifest.
        """
        path = self.manifest_path(split)
        if not path.exists():
            raise InputError(
                f"{path}: no such file, {self.name} is not prepared; "
                f"run: {self.prepare_command}"
            )
        return read_manifest(path)

    @abstractmethod
    def prepare(self) -> PreparedReport:
        """Put audio and manifests in place; doing it twice is the same as once.

        Raises:
            InputError: something is missing, damaged, or not what is expected.
        """

    def _write(self, splits: Mapping[str, Sequence[Utterance]]) -> None:
        for split, utterances in splits.items():
            write_manifest(self.manifest_path(split), utterances)

    def _report(self, splits: Mapping[str, Sequence[Utterance]]) -> PreparedReport:
        return PreparedReport(
            self.name,
            MappingProxyType(
                {
                    split: SplitSize(
                        utterances=len(utterances),
                        hours=sum(u.duration for u in utterances) / 3600,
                        words=sum(len(u.text.split()) for u in utterances),
                        manifest=self.manifest_path(split),
                    )
                    for split, utterances in splits.items()
                }
            ),
        )


class ArchivedCorpus(Corpus):
    """A corpus that its host serves as one archive.

    The archive is unpacked into `<root>/files`. Nothing is called prepared,
    and no manifest is written, before the digest of the files and the sizes
    of the splits are what is expected.

    Args:
        name: as for Corpus.
        root: as for Corpus.
        archive: path of the archive, or None to look for it (see
            `locate_archive`).
        filename: the archive's name.
        url: where it is downloaded from.
        sha256: expected `digest_tree` of the files; None skips the check,
            for an altered release of one's own.
        utterances: expected number per split.
        hours: expected h per split, to a tenth of a percent.
    """

    patterns: tuple[str, ...]
    """Glob patterns of the files that matter, for the digest."""

    def __init__(
        self,
        name: str,
        root: str | Path,
        archive: str | None,
        filename: str,
        url: str,
        sha256: str | None,
        utterances: Mapping[str, int],
        hours: Mapping[str, float],
    ) -> None:
        super().__init__(name, root)
        self.archive = archive
        self.filename = filename
        self.url = url
        self.sha256 = sha256
        for split, number in utterances.items():
            check(f"utterances.{split}", number, whole(0, COUNT.most))
        for split, number in hours.items():
            check(f"hours.{split}", number, Range(0, 1e9))
        self.utterances = dict(utterances)
        self.hours = dict(hours)

    @property
    def files(self) -> Path:
        """Folder of the unpacked archive."""
        return self.root / "files"

    def prepare(self) -> PreparedReport:
        """Find or download the archive, unpack, check, write the manifests.

        Raises:
            InputError: no archive, a damaged one, other files or sizes than
                expected.
        """
        if self.files.exists():
            self._check_digest("delete that folder and prepare again")
        else:
            archive = locate_archive(self.archive, self.filename, self.url, self.root)
            extract_archive(archive, self.files)
            try:
                self._check_digest(
                    f"{archive} is damaged or another release: fetch {self.url}"
                )
            except InputError:
                shutil.rmtree(self.files)
                raise
        splits = self._read_files()
        report = self._report(splits)
        self._check_sizes(report)
        self._write(splits)
        return report

    @abstractmethod
    def _read_files(self) -> dict[str, list[Utterance]]:
        """Describe the unpacked files, split by split."""

    def _check_digest(self, remedy: str) -> None:
        if self.sha256 is None:
            return
        found = digest_tree(self.files, self.patterns)
        if found != self.sha256:
            raise InputError(
                f"{self.files}: sha256 of the files is {found}, "
                f"expected {self.sha256}; {remedy}"
            )

    def _check_sizes(self, report: PreparedReport) -> None:
        for split, size in report.splits.items():
            expected = self.utterances[split]
            if size.utterances != expected:
                raise InputError(
                    f"{self.name} {split}: {size.utterances} utterances, expected "
                    f"{expected}; take the original archive, or correct "
                    f"corpus.utterances.{split}"
                )
            hours = self.hours[split]
            if abs(size.hours - hours) > 0.001 * hours:
                raise InputError(
                    f"{self.name} {split}: {size.hours:.4f} h, expected {hours}; "
                    f"take the original archive, or correct corpus.hours.{split}"
                )


def describe_file(
    id: str, audio_path: Path, text: str, speaker: str | None
) -> Utterance:
    """An utterance that is a whole file; its duration comes from the header."""
    return Utterance(
        id=id,
        audio_path=audio_path,
        duration=inspect_audio(audio_path).duration,
        text=text,
        speaker=speaker,
    )
