"""Corpora that cannot be fetched: the user has a release of them, unpacked."""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path

from speechgru.data.corpora.corpus import Corpus
from speechgru.data.corpora.counts import ReferenceCounts
from speechgru.data.source import PreparedReport
from speechgru.interfaces import InputError, Utterance


class OwnedCorpus(Corpus):
    """A corpus read from a folder of the user's, in which nothing is written.

    Args:
        name: as for Corpus.
        root: folder of the manifests.
        folder: of the release; None: it is not said yet, which is an error when the
            corpus is prepared.
        utterances, hours, words: expected per split; see `ReferenceCounts`.
    """

    where = "the folder of the unpacked release"
    """What the folder is, for messages."""

    def __init__(
        self,
        name: str,
        root: str | Path,
        folder: str | None,
        utterances: Mapping[str, int | None] | None = None,
        hours: Mapping[str, float | None] | None = None,
        words: Mapping[str, int | None] | None = None,
    ) -> None:
        super().__init__(name, root)
        self.release = None if folder is None else Path(folder).expanduser()
        self.counts = ReferenceCounts(utterances, hours, words)

    @property
    def prepare_command(self) -> str:
        """What a message tells people to run."""
        return f"{super().prepare_command} corpus.folder={self.release or 'FOLDER'}"

    def prepare(self) -> PreparedReport:
        """Read the folder, check its sizes, write the manifests.

        Raises:
            InputError: no folder, or other files or sizes than expected.
        """
        if self.release is None or not self.release.is_dir():
            raise InputError(
                f"{self.name}: corpus.folder is {self.release or 'not set'}, expected "
                f"{self.where}; set corpus.folder=FOLDER"
            )
        splits = self._read_folder(self.release)
        report = self._report(splits)
        self.counts.check(self.name, report.splits)
        self._write(splits)
        return report

    @abstractmethod
    def _read_folder(self, folder: Path) -> dict[str, list[Utterance]]:
        """Describe the files of the release, split by split."""
