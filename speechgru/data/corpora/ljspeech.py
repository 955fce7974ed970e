"""LJSpeech 1.1: 24 hours of one woman reading seven books of non-fiction, 22.05 kHz.

Source: https://keithito.com/LJ-Speech-Dataset (public domain).
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from speechgru.data.corpora.archived import ArchivedCorpus
from speechgru.data.corpora.recordings import Recording, describe_files
from speechgru.files import read_lines
from speechgru.interfaces import InputError, Utterance
from speechgru.ranges import nearest


class LJSpeech(ArchivedCorpus):
    """LJSpeech, cut into splits by its fifty chapters, since it has no official ones.

    One woman speaks all of it, so a score on it says nothing about other voices; by
    chapters, no sentence of a passage is in train while its neighbour is in test.

    Args:
        chapters: those of dev and of test, such as LJ049; train has the others.
        normalized: take the transcripts in which numbers and abbreviations are
            written out (column 3), not those of the books (column 2).
        others: as for ArchivedCorpus.

    Raises:
        InputError: as for ArchivedCorpus; or chapters that are none, or that two
            splits share.
    """

    patterns = ("metadata.csv", "wavs/*.wav")

    def __init__(
        self,
        name: str,
        root: str | Path,
        archive: str | None,
        archives: Sequence[Mapping[str, Any]],
        chapters: Mapping[str, Sequence[str]],
        normalized: bool,
        utterances: Mapping[str, int | None] | None = None,
        hours: Mapping[str, float | None] | None = None,
        words: Mapping[str, int | None] | None = None,
    ) -> None:
        super().__init__(name, root, archive, archives, utterances, hours, words)
        for split in chapters:
            if split not in ("dev", "test"):
                raise InputError(
                    f"corpus.chapters has '{split}', expected dev and test; train has "
                    f"the other chapters{nearest(split, ('dev', 'test'))}"
                )
        counted = Counter(chapter for named in chapters.values() for chapter in named)
        for chapter, count in counted.items():
            if count > 1:
                raise InputError(
                    f"corpus.chapters names '{chapter}' {count} times, expected each "
                    "chapter in one split; leave it out of the others"
                )
        self.chapters = {
            chapter: split for split, named in chapters.items() for chapter in named
        }
        self.normalized = normalized

    def _settings(self) -> Mapping[str, Any]:
        return {"normalized": self.normalized, "chapters": self.chapters}

    def _read_files(self) -> dict[str, list[Utterance]]:
        texts = _read_metadata(self.files / "metadata.csv", self.normalized)
        audio_paths = {path.stem: path for path in (self.files / "wavs").glob("*.wav")}
        for id in texts.keys() ^ audio_paths.keys():
            raise InputError(
                f"{id}: in one of metadata.csv and wavs/, expected it in both; take "
                "the original archive"
            )
        known = {id.partition("-")[0] for id in texts}
        for chapter in self.chapters:
            if chapter not in known:
                raise InputError(
                    f"corpus.chapters names '{chapter}', expected chapters from "
                    f"{min(known)} to {max(known)}{nearest(chapter, known)}"
                )
        recordings = [
            Recording(id, audio_paths[id], texts[id], "lj") for id in sorted(texts)
        ]
        splits: dict[str, list[Utterance]] = {"train": [], "dev": [], "test": []}
        for utterance in describe_files(recordings, self.name):
            chapter = utterance.id.partition("-")[0]
            splits[self.chapters.get(chapter, "train")].append(utterance)
        return splits


def _read_metadata(path: Path, normalized: bool) -> dict[str, str]:
    """Lines `ID|TEXT|TEXT`, in which quotes stand for themselves."""
    texts: dict[str, str] = {}
    lines = read_lines(path, "transcripts")
    if lines[-1] == "":
        lines.pop()
    for number, line in enumerate(lines, 1):
        columns = line.split("|")
        is_id = re.fullmatch(r"LJ\d{3}-\d{4}", columns[0])
        if len(columns) != 3 or not is_id or columns[0] in texts:
            raise InputError(
                f"{path}:{number}: '{line[:80]}' is not one new id and its two "
                "transcripts, expected e.g. 'LJ001-0001|In 1903|In nineteen three'; "
                "take the original archive"
            )
        texts[columns[0]] = columns[2 if normalized else 1]
    return texts
