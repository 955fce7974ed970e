"""AISHELL-1: 178 hours of read Mandarin, 16 kHz, 400 speakers.

Source: https://www.openslr.org/33 (Apache-2.0); "AISHELL-1: An Open-Source Mandarin
Speech Corpus and A Speech Recognition Baseline", arXiv:1709.05522.
"""

from dataclasses import replace
from pathlib import Path

from speechgru.data.corpora.archived import ArchivedCorpus
from speechgru.data.corpora.left_out import LeftOut, write_left_out
from speechgru.data.corpora.recordings import Recording, describe_files
from speechgru.data.source import PreparedReport
from speechgru.files import read_lines
from speechgru.interfaces import InputError, Utterance

_FULL_WIDTH = {0xFEE0 + code: code for code in range(0x21, 0x7F)}
"""Letters as wide as a Chinese character, to plain ones."""


class AISHELL1(ArchivedCorpus):
    """AISHELL-1 with its own splits, no speaker in two.

    The archive holds an archive for each speaker, which become
    `wav/<split>/<speaker>/<id>.wav`. Some recordings have no transcript; they are left
    out and listed. Transcripts lose the spaces between words, since characters are
    scored, and their few full-width Latin letters become plain ones. The arguments are
    those of ArchivedCorpus.
    """

    patterns = ("transcript/*.txt", "wav/*/*/*.wav")
    nested = ("wav/*.tar.gz",)

    def prepare(self) -> PreparedReport:
        """As ArchivedCorpus does, and list the recordings without transcript."""
        report = super().prepare()
        texts = self._read_transcripts()
        left_out = [
            LeftOut(split, path.name, "no transcript")
            for split in self.splits
            for path in self._list_files(split)
            if path.stem not in texts
        ]
        notes = [f"{self.name} {n}" for n in write_left_out(self.root, left_out)]
        return replace(report, notes=(*report.notes, *notes))

    def _read_files(self) -> dict[str, list[Utterance]]:
        texts = self._read_transcripts()
        return {
            split: describe_files(
                [
                    Recording(path.stem, path, texts[path.stem], path.parent.name)
                    for path in self._list_files(split)
                    if path.stem in texts
                ],
                f"{self.name} {split}",
            )
            for split in self.splits
        }

    def _list_files(self, split: str) -> list[Path]:
        return sorted((self.files / "wav" / split).glob("*/*.wav"))

    def _read_transcripts(self) -> dict[str, str]:
        """Lines such as `BAC009S0002W0122 而 对 楼市`, with spaces between words."""
        path = self.files / "transcript" / "aishell_transcript_v0.8.txt"
        texts: dict[str, str] = {}
        for number, line in enumerate(read_lines(path, "transcripts"), start=1):
            if not line.strip():
                continue
            id, *words = line.split()
            if not words or id in texts:
                raise InputError(
                    f"{path}:{number}: '{line[:80]}' is not one new id and its "
                    "transcript, expected e.g. 'BAC009S0002W0122 而 对'; take the "
                    "original archive"
                )
            texts[id] = "".join(words).translate(_FULL_WIDTH)
        return texts
