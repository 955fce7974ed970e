"""Speech Commands v0.02: 105,829 single words of one second, 35 in all, 16 kHz.

Source: "Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition",
arXiv:1804.03209 (CC BY 4.0).
"""

import re
from pathlib import Path

from speechgru.data.corpora.archived import ArchivedCorpus
from speechgru.data.corpora.recordings import Recording, describe_files
from speechgru.files import read_lines
from speechgru.interfaces import InputError, Utterance

_NOISE = "_background_noise_"
_LISTS = {"dev": "validation_list.txt", "test": "testing_list.txt"}


class SpeechCommands(ArchivedCorpus):
    """Speech Commands with its official splits, which share no speaker.

    Files are `<word>/<speaker>_nohash_<n>.wav`; the two lists name those of dev and
    test, train has the others. The long recordings of noise belong to no split: use
    them by augment=noise_folder. Some clips are shorter than a second. The arguments
    are those of ArchivedCorpus.
    """

    patterns = ("*_list.txt", "*/*.wav")

    def _read_files(self) -> dict[str, list[Utterance]]:
        listed = {
            name: split
            for split, file in _LISTS.items()
            for name in _read_list(self.files / file)
        }
        recordings = []
        for path in sorted(self.files.glob("*/*.wav")):
            if path.parent.name != _NOISE:
                recordings.append(_describe(path))
        splits: dict[str, list[Utterance]] = {"train": [], "dev": [], "test": []}
        for utterance in describe_files(recordings, self.name):
            split = listed.pop(f"{utterance.id}.wav", "train")
            splits[split].append(utterance)
        for name, split in listed.items():
            raise InputError(
                f"{name}: in {_LISTS[split]}, but not in the folder {self.files}; take "
                "the original archive"
            )
        return splits


def _describe(path: Path) -> Recording:
    word, name = path.parent.name, path.stem
    match = re.fullmatch(r"([0-9a-f]{8})_nohash_\d+", name)
    if match is None:
        raise InputError(
            f"{path}: the name is not that of a clip, expected "
            "WORD/SPEAKER_nohash_N.wav such as yes/0a7c2a8d_nohash_0.wav; take the "
            "original archive"
        )
    return Recording(f"{word}/{name}", path, word, match[1])


def _read_list(path: Path) -> list[str]:
    return [name for name in read_lines(path, "names of files") if name]
