"""The user's own corpus: manifests that exist already."""

from pathlib import Path

from speechgru.data.corpora.corpus import Corpus, PreparedReport
from speechgru.data.manifest import read_manifest
from speechgru.interfaces import InputError, Utterance
from speechgru.ranges import nearest


class ManifestCorpus(Corpus):
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
        super().__init__(name, root=next(iter(self._paths.values())).parent)
        self.splits = tuple(self._paths)

    def manifest_path(self, split: str) -> Path:
        """The manifest of a split. Raises InputError: not given."""
        if split not in self.splits:
            raise InputError(
                f"unknown split '{split}'; {self.name} has: {', '.join(self.splits)}"
                + (
                    f"; set corpus.{split}=PATH"
                    if split in Corpus.splits
                    else nearest(split, self.splits)
                )
            )
        return self._paths[split]

    def read(self, split: str) -> list[Utterance]:
        """The utterances of a split. Raises InputError: missing or bad."""
        return read_manifest(self.manifest_path(split))

    def prepare(self) -> PreparedReport:
        """Read and count the manifests; nothing is written."""
        return self._report({split: self.read(split) for split in self.splits})
