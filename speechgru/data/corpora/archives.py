"""One archive of a corpus, as its YAML describes it."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from speechgru.data.archive import digest_tree
from speechgru.interfaces import InputError
from speechgru.ranges import nearest

_KEYS = ("file", "url", "sha256", "file_sha256")


@dataclass(frozen=True)
class Archive:
    """What an archive is called, where it is, and how it is known to be whole.

    Attributes:
        file: its name.
        url: where it is downloaded from; None: nowhere.
        sha256: expected `digest_tree` of its files, which an archive that is packed
            anew for every download keeps; None skips the check, for an altered
            release of one's own.
        file_sha256: expected sha256 of the archive itself; None skips the check.
    """

    file: str
    url: str | None = None
    sha256: str | None = None
    file_sha256: str | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "Archive":
        """From a mapping of a configuration.

        Raises:
            InputError: an unknown key, no file, or a value that is no text.
        """
        for key, value in options.items():
            if key not in _KEYS:
                raise InputError(
                    f"corpus.archives has an unknown key '{key}', expected some of: "
                    f"{', '.join(_KEYS)}{nearest(key, _KEYS)}"
                )
            if value is not None and not isinstance(value, str):
                raise InputError(
                    f"corpus.archives: {key} is {value!r}, expected text; put it in "
                    "quotes"
                )
        file = options.get("file")
        if not file or Path(file).name != file:
            raise InputError(
                f"corpus.archives: file is {file!r}, expected the name of an archive "
                "without a folder; the folder is corpus.archive=FOLDER"
            )
        return cls(**options)

    @property
    def part(self) -> str:
        """The name without endings such as .tar.gz and .zip."""
        name = self.file
        for ending in (".gz", ".bz2", ".xz", ".tar", ".tgz", ".zip"):
            name = name.removesuffix(ending)
        return name

    def check_file(self, path: Path) -> None:
        """See that an archive is the expected one. Raises InputError."""
        if self.file_sha256 is None:
            return
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != self.file_sha256:
            raise InputError(
                f"{path}: sha256 is {found}, expected {self.file_sha256}; it is "
                f"damaged or another release: fetch {self.url}; for a "
                "release of your own set its file_sha256 in corpus.archives to null"
            )

    def check_files(self, folder: Path, patterns: Iterable[str], remedy: str) -> None:
        """See that the unpacked files are the expected ones. Raises InputError."""
        if self.sha256 is None:
            return
        found = digest_tree(folder, patterns)
        if found != self.sha256:
            raise InputError(
                f"{folder}: sha256 of the files is {found}, "
                f"expected {self.sha256}; {remedy}"
            )
