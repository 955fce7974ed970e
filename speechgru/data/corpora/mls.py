"""Multilingual LibriSpeech: read books in eight languages, 16 kHz.

Source: https://www.openslr.org/94 (CC BY 4.0); "MLS: A Large-Scale Multilingual
Dataset for Speech Research", arXiv:2012.03411.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, get_args

from speechgru.data.corpora.archived import ArchivedCorpus
from speechgru.data.corpora.choices import check_choice
from speechgru.data.corpora.recordings import Recording, describe_files
from speechgru.files import read_lines
from speechgru.interfaces import InputError, Utterance

Codec = Literal["flac", "opus"]

_ID = re.compile(r"(\d+)_(\d+)_\d+", re.ASCII)
_LIMITED = {
    "train-1h": ("1hr/*/handles.txt",),
    "train-9h": ("9hr/handles.txt",),
    "train-10h": ("1hr/*/handles.txt", "9hr/handles.txt"),
}
"""Where the ids of parts of train stand, below train/limited_supervision."""

UTTERANCES = {
    "dutch": (374_287, 3_095, 3_075, 234, 2_153),
    "english": (None, None, None, None, None),
    "french": (258_213, 2_416, 2_426, 241, 2_167),
    "german": (469_942, 3_469, 3_394, 241, 2_194),
    "italian": (59_623, 1_248, 1_262, 240, 2_173),
    "polish": (25_043, 512, 520, 238, 2_173),
    "portuguese": (37_533, 826, 871, 236, 2_116),
    "spanish": (220_701, 2_408, 2_385, 233, 2_110),
}
"""Of train, dev, test, train-1h and train-9h, where they are published."""


class MLS(ArchivedCorpus):
    """One language of Multilingual LibriSpeech.

    Files are `<split>/audio/<speaker>/<book>/<speaker>_<book>_<n>.flac`, or .opus,
    and `<split>/transcripts.txt` has their texts. The splits train-1h, train-9h and
    train-10h, which is both, are the parts of train for limited supervision.

    Args:
        name: as for Corpus.
        root: folder of all languages; each has its own below it.
        archive: as for DownloadedCorpus.
        language: its English name, e.g. polish.
        codec: "opus", a quarter of the size, or "flac".
        utterances: expected number per split, where it is not the published one.

    Raises:
        InputError: there is no such language or codec.
    """

    splits = ("train", "dev", "test", *_LIMITED)
    patterns = ("*/transcripts.txt",)

    def __init__(
        self,
        name: str,
        root: str | Path,
        archive: str | None,
        language: str,
        codec: str,
        utterances: Mapping[str, int | None] | None = None,
    ) -> None:
        check_choice("language", language, tuple(UTTERANCES))
        check_choice("codec", codec, get_args(Codec))
        file = f"mls_{language}{'_opus' if codec == 'opus' else ''}.tar.gz"
        published = dict(zip(self.splits, UTTERANCES[language], strict=False))
        super().__init__(
            name,
            Path(root) / f"{language}-{codec}",
            archive,
            [{"file": file, "url": f"https://dl.fbaipublicfiles.com/mls/{file}"}],
            {**published, **(utterances or {})},
        )
        self.language = language
        self.codec = codec

    @property
    def variant(self) -> str:
        """The name and the language."""
        return f"{self.name}-{self.language}"

    @property
    def prepare_command(self) -> str:
        """What a message tells people to run."""
        return (
            f"{super().prepare_command} corpus.language={self.language} "
            f"corpus.codec={self.codec}"
        )

    def _read_files(self) -> dict[str, list[Utterance]]:
        splits = {}
        for split in ("train", "dev", "test"):
            recordings = list(self._read_split(self.files / split))
            splits[split] = describe_files(recordings, f"{self.variant} {split}")
        by_id = {utterance.id: utterance for utterance in splits["train"]}
        for split, patterns in _LIMITED.items():
            splits[split] = [by_id[id] for id in self._read_handles(patterns, by_id)]
        return splits

    def _read_split(self, folder: Path) -> Iterator[Recording]:
        path = folder / "transcripts.txt"
        seen = set()
        for number, line in enumerate(read_lines(path, "transcripts"), start=1):
            if not line:
                continue
            id, _, text = line.partition("\t")
            match = _ID.fullmatch(id)
            if match is None or not text or id in seen:
                raise InputError(
                    f"{path}:{number}: '{line[:80]}' is not one new id and its "
                    "transcript with a tab between, expected an id such as "
                    "6892_10049_001463; take the original archive"
                )
            seen.add(id)
            audio_path = folder / "audio" / match[1] / match[2] / f"{id}.{self.codec}"
            yield Recording(id, audio_path, text, speaker=match[1])

    def _read_handles(
        self, patterns: tuple[str, ...], known: Mapping[str, Utterance]
    ) -> Iterator[str]:
        """Ids of a part of train, each once."""
        folder = self.files / "train" / "limited_supervision"
        paths = [path for pattern in patterns for path in folder.glob(pattern)]
        if not paths:
            raise InputError(
                f"{folder}: no {patterns[0]}, expected the lists of limited "
                "supervision; take the original archive"
            )
        ids = {id for path in sorted(paths) for id in read_lines(path, "ids") if id}
        for id in sorted(ids):
            if id not in known:
                raise InputError(
                    f"{folder}: names {id}, which {self.files}/train/transcripts.txt "
                    "lacks; take the original archive"
                )
            yield id
