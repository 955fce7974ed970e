"""THCHS-30: 33 hours of read Mandarin, 16 kHz.

Source: https://www.openslr.org/18 (Apache-2.0); "THCHS-30: A Free Chinese Speech
Corpus", arXiv:1512.01882.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from speechgru.data.corpora.archived import ArchivedCorpus
from speechgru.data.corpora.choices import check_choice
from speechgru.data.corpora.recordings import Recording, describe_files
from speechgru.data.corpora.shared import name_shared
from speechgru.data.source import PreparedReport
from speechgru.files import read_lines
from speechgru.interfaces import InputError, Utterance

Transcript = Literal["characters", "pinyin", "phones"]

_ID = re.compile(r"([A-Z]\d+)_\d+", re.ASCII)
_DEBRIS = re.compile(r"\bl\s*=")
"""Stands in some lines of characters."""


class THCHS30(ArchivedCorpus):
    """THCHS-30 with its own splits; speakers share sentences.

    Recordings are `data/<id>.wav`, with three lines in `data/<id>.wav.trn`. What is in
    a split, the names in `train/`, `dev/` and `test/` say, whether the files there are
    links, copies or lines with a path.

    Args:
        name, root, archive, archives, utterances, hours: as for ArchivedCorpus.
        transcript: "characters" of the first line, without the spaces between its
            words; "pinyin", syllables with tones; or "phones", initials and finals.

    Raises:
        InputError: there is no such transcript.
    """

    patterns = ("data/*.wav", "data/*.trn")

    def __init__(
        self,
        name: str,
        root: str | Path,
        archive: str | None,
        archives: Sequence[Mapping[str, Any]],
        transcript: str,
        utterances: Mapping[str, int | None] | None = None,
        hours: Mapping[str, float | None] | None = None,
    ) -> None:
        known = get_args(Transcript)
        check_choice("transcript", transcript, known)
        super().__init__(name, root, archive, archives, utterances, hours)
        self.transcript = transcript
        self.line = known.index(transcript)

    @property
    def variant(self) -> str:
        """The name, and the transcripts unless they are characters."""
        usual = self.transcript == "characters"
        return self.name if usual else f"{self.name}-{self.transcript}"

    @property
    def prepare_command(self) -> str:
        """What a message tells people to run."""
        usual = self.transcript == "characters"
        return super().prepare_command + (
            "" if usual else f" corpus.transcript={self.transcript}"
        )

    def manifest_path(self, split: str) -> Path:
        """Where a split is described; each kind of transcript has its own."""
        path = super().manifest_path(split)
        if self.transcript == "characters":
            return path
        return path.with_name(f"{split}-{self.transcript}.jsonl")

    def _read_files(self) -> dict[str, list[Utterance]]:
        return {
            split: describe_files(
                [self._read_recording(split, id) for id in self._list_ids(split)],
                f"{self.name} {split}",
            )
            for split in self.splits
        }

    def _list_ids(self, split: str) -> list[str]:
        names = {path.name for path in (self.files / split).glob("*.wav*")}
        ids = {name.removesuffix(".trn").removesuffix(".wav") for name in names}
        if not ids:
            raise InputError(
                f"{self.files / split}: no recordings, expected the names of the split "
                f"{split}; take the original archive"
            )
        return sorted(ids)

    def _read_recording(self, split: str, id: str) -> Recording:
        match = _ID.fullmatch(id)
        if match is None:
            raise InputError(
                f"{self.files / split}: '{id}' is no id, expected one such as A11_0; "
                "take the original archive"
            )
        path = self.files / "data" / f"{id}.wav.trn"
        lines = read_lines(path, "a transcript of three lines")
        text = lines[self.line].strip() if len(lines) > self.line else ""
        if self.transcript == "characters":
            text = "".join(_DEBRIS.sub(" ", text).split())
        if not text:
            raise InputError(
                f"{path}: no {self.transcript} in line {self.line + 1}, expected three "
                "lines; take the original archive"
            )
        audio_path = self.files / "data" / f"{id}.wav"
        return Recording(id, audio_path, text, speaker=match[1])

    def _report(
        self, splits: Mapping[str, Sequence[Utterance]], notes: Sequence[str] = ()
    ) -> PreparedReport:
        notes = [*notes, *name_shared(splits)]
        return super()._report(splits, [f"{self.name} {note}" for note in notes])
