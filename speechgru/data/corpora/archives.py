"""One archive of a corpus, as its YAML describes it."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from speechgru.data.archive import digest_tree
from speechgru.interfaces import InputError
from speechgru.progress import Progress
from speechgru.ranges import check, nearest, whole

_CHUNK = 1 << 20  # bytes
_MB = 1e6
_SIZE = whole(1, 1 << 50)
_TEXTS = ("file", "url", "sha256", "md5", "file_sha256")
_KEYS = (*_TEXTS, "mirrors", "size")


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
        md5: expected md5 of the archive itself, where its host publishes no other;
            likewise. It tells damage, not malice.
        size: expected bytes of the archive. What an address serves must have it; an
            archive on this machine, too, where a digest of it is expected.
        mirrors: addresses to try after the url, in turn.
        place: in the list of archives, for what to set.
    """

    file: str
    url: str | None = None
    sha256: str | None = None
    file_sha256: str | None = None
    md5: str | None = None
    size: int | None = None
    mirrors: tuple[str, ...] = ()
    place: int = 0

    @classmethod
    def of(cls, options: Mapping[str, Any], place: int = 0) -> "Archive":
        """From a mapping of a configuration, at a place in its list.

        Raises:
            InputError: an unknown key, no file, a value that is no text where one
                is expected, or mirrors of nothing.
        """
        for key, value in options.items():
            if key not in _KEYS:
                raise InputError(
                    f"corpus.archives has an unknown key '{key}', expected some of: "
                    f"{', '.join(_KEYS)}{nearest(key, _KEYS)}"
                )
            if key in _TEXTS and value is not None and not isinstance(value, str):
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
        size, mirrors = options.get("size"), options.get("mirrors") or ()
        if size is not None:
            check("corpus.archives: size", size, _SIZE)
        is_list = isinstance(mirrors, Sequence) and not isinstance(mirrors, str)
        if not is_list or not all(isinstance(each, str) for each in mirrors):
            raise InputError(
                f"corpus.archives: mirrors is {mirrors!r}, expected a list of addresses"
            )
        if mirrors and not options.get("url"):
            raise InputError(
                f"corpus.archives: {file} has mirrors but no url; name the first "
                "address as its url"
            )
        return cls(**{**options, "mirrors": tuple(mirrors), "place": place})

    @property
    def part(self) -> str:
        """The name without endings such as .tar.gz and .zip."""
        name = self.file
        for ending in (".gz", ".bz2", ".xz", ".tar", ".tgz", ".zip"):
            name = name.removesuffix(ending)
        return name

    def check_file(self, path: Path) -> None:
        """See that an archive is the expected one. Raises InputError."""
        known = {"sha256": self.file_sha256, "md5": self.md5}
        expected = {name: digest for name, digest in known.items() if digest}
        if not expected:
            return
        found_size = path.stat().st_size
        if self.size is not None and found_size != self.size:
            raise self._is_other(path, f"{found_size} bytes, expected {self.size}")
        for name, found in _digest(path, list(expected)).items():
            if found != expected[name].lower():
                raise self._is_other(
                    path, f"{name} is {found}, expected {expected[name]}"
                )

    def _is_other(self, path: Path, what: str) -> InputError:
        keys = {"file_sha256": self.file_sha256, "md5": self.md5}
        options = " ".join(
            f"corpus.archives.{self.place}.{key}=null" for key in keys if keys[key]
        )
        return InputError(
            f"{path}: {what}; it is damaged or another release: fetch {self.url}; for "
            f"one of your own, such as one that you packed anew, set {options}"
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


def _digest(path: Path, algorithms: Sequence[str]) -> dict[str, str]:
    """Hexadecimal digests of a file by their names, all in one pass."""
    digests = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
    with (
        path.open("rb") as file,
        Progress(f"checking {path.name}", path.stat().st_size / _MB, "MB") as progress,
    ):
        while chunk := file.read(_CHUNK):
            for digest in digests.values():
                digest.update(chunk)
            progress.advance(len(chunk) / _MB)
    return {name: digest.hexdigest() for name, digest in digests.items()}
