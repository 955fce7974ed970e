"""JSON Lines manifests of the user's own, one a split."""

from collections.abc import Sequence
from pathlib import Path

from speechgru.data.manifest_table import open_manifest
from speechgru.data.source import PreparedReport, report
from speechgru.interfaces import InputError, Utterance
from speechgru.ranges import nearest


class ManifestCorpus:
    """Splits that are the user's own manifests, wherever they lie.

    Args:
        name: what messages call it.
        train: manifest to train on, or None.
        dev: manifest to choose the best checkpoint by, or None.
        test: manifest to score, or None.

    Raises:
        InputError: no manifest at all.
    """

    def __init__(
        self, name: str, train: str | None, dev: str | None, test: str | None
    ) -> None:
        given = {"train": train, "dev": dev, "test": test}
        self._paths = {
            split: Path(path).expanduser()
            for split, path in given.items()
            if path is not None
        }
        if not self._paths:
            raise InputError(
                f"corpus {name}: no manifests, expected one or more; set "
                "corpus.train=A.jsonl corpus.dev=B.jsonl corpus.test=C.jsonl"
            )
        self.name = name
        self.splits = tuple(self._paths)
        self._all = tuple(given)

    @property
    def variant(self) -> str:
        """The name alone."""
        return self.name

    def manifest_path(self, split: str) -> Path:
        """The manifest of a split. Raises InputError: not given."""
        if split not in self.splits:
            raise InputError(
                f"unknown split '{split}'; {self.name} has: {', '.join(self.splits)}"
                + (
                    f"; set corpus.{split}=PATH"
                    if split in self._all
                    else nearest(split, self.splits)
                )
            )
        return self._paths[split]

    def read(self, split: str) -> Sequence[Utterance]:
        """The utterances of a split. Raises InputError: missing or bad."""
        return open_manifest(self.manifest_path(split))

    def prepare(self) -> PreparedReport:
        """Read and count the manifests; nothing is written."""
        splits = {split: self.read(split) for split in self.splits}
        return report(self.name, splits, self._paths)
