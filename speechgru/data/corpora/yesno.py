"""yesno: sixty recordings of eight Hebrew words, each yes or no, 8 kHz.

Source: https://www.openslr.org/1 (Apache-2.0), which calls the words Hebrew;
the README inside the archive says English.
"""

import re

from speechgru.data.corpora.archived import ArchivedCorpus
from speechgru.data.corpora.corpus import describe_file
from speechgru.interfaces import InputError, Utterance

_WORDS = {"0": "NO", "1": "YES"}


class YesNo(ArchivedCorpus):
    """A first corpus of six minutes, for seeing that everything works.

    The transcript is the file's name: 0 is NO, 1 is YES (spoken in Hebrew, lo
    and ken; the transcripts use the English words). One man speaks all of it,
    so the splits cannot be disjoint in speakers, and a score on it says
    nothing about other voices. Of the sorted files, those at positions 5, 11,
    17, ... are dev, those at 6, 12, 18, ... are test, the others train. The
    arguments are those of ArchivedCorpus.
    """

    patterns = ("*.wav",)

    def _read_files(self) -> dict[str, list[Utterance]]:
        splits: dict[str, list[Utterance]] = {"train": [], "dev": [], "test": []}
        for position, path in enumerate(sorted(self.files.glob("*.wav")), start=1):
            if not re.fullmatch("[01](_[01]){7}", path.stem):
                raise InputError(
                    f"{path}: the name is no transcript, expected eight of 0 and 1 "
                    "as in 0_1_1_0_0_1_1_0.wav; take the original archive"
                )
            text = " ".join(_WORDS[digit] for digit in path.stem.split("_"))
            split = {5: "dev", 0: "test"}.get(position % 6, "train")
            splits[split].append(describe_file(path.stem, path, text, speaker="yesno"))
        return splits
