"""FLEURS: the same 2,009 sentences read in 102 languages, 16 kHz.

Source: https://huggingface.co/datasets/google/fleurs (CC BY 4.0); "FLEURS: Few-shot
Learning Evaluation of Universal Representations of Speech", arXiv:2205.12446.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from speechgru.data.archive import extract_archive
from speechgru.data.corpora.archived import ArchivedCorpus
from speechgru.data.corpora.archives import Archive
from speechgru.data.corpora.recordings import Recording, describe_files
from speechgru.files import read_lines, replace_file
from speechgru.interfaces import InputError, Utterance
from speechgru.records import show

_LANGUAGE = re.compile("[a-z]{2,3}(_[a-z0-9]{2,4}){1,2}")
_FILE, _RAW, _TEXT = 1, 2, 3
_FEWEST = 7
"""Columns: id, file, as written, in lower case without punctuation, its characters,
number of samples, gender; there are no names."""


class FLEURS(ArchivedCorpus):
    """One language of FLEURS.

    Two layouts are read: `<language>.tar.gz` of Google's bucket, which holds tables and
    audio; and a copy of the data set on the Hugging Face Hub, where the tables lie in
    `data/<language>` beside one archive of audio a split. Who speaks is not known.

    Args:
        name: as for Corpus.
        root: folder of all languages; each has its own below it.
        archive: path of the archive, of a folder with it, or of a copy of the data
            set on the Hub; None: look for the archive, then download it.
        language: e.g. en_us.
        address: folder of the archives in the network.
        file_sha256: expected of the archive; None skips the check.
        written: take sentences as they are written, with case, punctuation and
            digits; otherwise in lower case without punctuation.

    Raises:
        InputError: no such language.
    """

    patterns = ("**/*.tsv",)

    def __init__(
        self,
        name: str,
        root: str | Path,
        archive: str | None,
        language: str,
        address: str,
        file_sha256: str | None,
        written: bool,
    ) -> None:
        if not _LANGUAGE.fullmatch(str(language)):
            raise InputError(
                f"corpus.language is {language!r}, expected one as FLEURS writes it, "
                "e.g. en_us or cmn_hans_cn"
            )
        file = f"{language}.tar.gz"
        described = {"file": file, "url": f"{address.rstrip('/')}/{file}"}
        super().__init__(
            name,
            Path(root) / language,
            archive,
            [described | ({"file_sha256": file_sha256} if file_sha256 else {})],
        )
        self.language = language
        self.written = written

    @property
    def variant(self) -> str:
        """The name, the language, and whether sentences are as they are written."""
        return f"{self.name}-{self.language}" + "-written" * self.written

    @property
    def prepare_command(self) -> str:
        """What a message tells people to run."""
        command = f"{super().prepare_command} corpus.language={self.language}"
        return command + " corpus.written=true" * self.written

    def manifest_path(self, split: str) -> Path:
        """Where a split is described; both kinds of sentences have their own."""
        path = super().manifest_path(split)
        return path.with_name(f"{split}-written.jsonl") if self.written else path

    def _unpack(self, archive: Archive) -> None:
        copy = self._find_copy()
        if copy is None:
            super()._unpack(archive)
            return
        for split in self.splits:
            table = self.files / f"{split}.tsv"
            if not table.exists():
                audio = self.files / "audio" / split
                if not audio.exists():
                    self._unpack_audio(copy / "audio" / f"{split}.tar.gz", audio)
                # Last, so that it stands for what is whole.
                replace_file(table, (copy / f"{split}.tsv").read_bytes())

    def _unpack_audio(self, archive: Path, folder: Path) -> None:
        if not archive.is_file():
            raise InputError(
                f"{archive}: no such file, expected the audio beside the tables; fetch "
                "the whole data set, large files included"
            )
        extract_archive(archive, folder)

    def _find_copy(self) -> Path | None:
        """The folder of the language in a copy of the data set on the Hub."""
        if self.archive is None:
            return None
        place = Path(self.archive).expanduser()
        folders = (place / "data" / self.language, place / self.language, place)
        tables = (folder for folder in folders if (folder / "train.tsv").is_file())
        return next(tables, None)

    def _read_files(self) -> dict[str, list[Utterance]]:
        splits = {}
        for split in self.splits:
            # Some archives have a whole path of folders above the tables.
            tables = sorted(self.files.glob(f"**/{split}.tsv"))
            if len(tables) != 1:
                raise InputError(
                    f"{self.files}: {len(tables)} files {split}.tsv below it, expected "
                    "one; take the original archive"
                )
            recordings = list(self._read_table(tables[0], split))
            splits[split] = describe_files(recordings, f"{self.variant} {split}")
        return splits

    def _read_table(self, path: Path, split: str) -> Iterator[Recording]:
        folder = path.parent / "audio" / split
        seen = set()
        for number, line in enumerate(read_lines(path, "a table"), start=1):
            if not line:
                continue
            fields = line.split("\t")  # quotes are a part of the text
            if len(fields) < _FEWEST:
                raise InputError(
                    f"{path}:{number}: {len(fields)} fields between tabs, expected "
                    f"{_FEWEST}; take the original archive"
                )
            file, text = fields[_FILE], fields[_RAW if self.written else _TEXT].strip()
            if Path(file).name != file or file in seen or not text:
                raise InputError(
                    f"{path}:{number}: {show(file)} with {show(text)} is not one new "
                    "file and its sentence; take the original archive"
                )
            seen.add(file)
            yield Recording(Path(file).stem, folder / file, text, None)
