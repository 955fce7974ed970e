"""VCTK 0.92: 110 speakers of English with various accents, 48 kHz.

Source: https://datashare.is.ed.ac.uk/handle/10283/3443 (CC BY 4.0).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from speechgru.data.corpora.archived import ArchivedCorpus
from speechgru.data.corpora.left_out import LeftOut
from speechgru.data.corpora.recordings import Recording, describe_files
from speechgru.files import read_lines
from speechgru.interfaces import InputError, Utterance
from speechgru.ranges import check, whole

_STEP = 10  # speakers, one of dev and one of test
_COMMON = 0.5  # of all speakers: only what all were asked to read is said by more


class VCTK(ArchivedCorpus):
    """VCTK, cut into splits by its speakers, since it has no official ones.

    dev holds the speakers at positions 9, 19, ... of the sorted list, test those at
    10, 20, ..., train the others. Everybody reads the same passage about the rainbow
    and the same elicitation paragraph: what more than half of the speakers say is left
    out of dev and test, or their texts were those of train. What has no text or no
    audio is left out and named: p315 has lost its texts, p280 its second microphone.

    Args:
        microphone: 1 or 2.
        common_texts: keep in dev and test what everybody says.
        others: as for ArchivedCorpus.

    Raises:
        InputError: as for ArchivedCorpus, or a microphone that there is not.
    """

    patterns = ("txt/*/*.txt", "wav48_silence_trimmed/*/*.flac")

    def __init__(
        self,
        name: str,
        root: str | Path,
        archive: str | None,
        archives: Sequence[Mapping[str, Any]],
        microphone: int,
        common_texts: bool,
        utterances: Mapping[str, int | None] | None = None,
        hours: Mapping[str, float | None] | None = None,
        words: Mapping[str, int | None] | None = None,
    ) -> None:
        super().__init__(name, root, archive, archives, utterances, hours, words)
        check("corpus.microphone", microphone, whole(1, 2))
        self.microphone = microphone
        self.common_texts = common_texts

    @property
    def variant(self) -> str:
        """The name, and the microphone if it is not the first."""
        return self.name if self.microphone == 1 else f"{self.name}-mic2"

    def _settings(self) -> Mapping[str, Any]:
        return {"microphone": self.microphone, "common_texts": self.common_texts}

    def _read_files(self) -> dict[str, list[Utterance]]:
        return self._read_release()[0]

    def _read_release(self) -> tuple[dict[str, list[Utterance]], list[LeftOut]]:
        texts = {path.stem: path for path in self.files.glob("txt/*/*.txt")}
        ending = f"_mic{self.microphone}"
        audio_paths = {
            path.stem.removesuffix(ending): path
            for path in self.files.glob(f"wav48_silence_trimmed/*/*{ending}.flac")
        }
        ids = sorted(texts.keys() & audio_paths.keys())
        if not ids:
            raise InputError(
                f"{self.files}: no text has a recording, expected txt/p225/p225_001.txt"
                f" and wav48_silence_trimmed/p225/p225_001{ending}.flac; take the "
                "original archive"
            )
        left_out = [
            *(LeftOut("", i, "no text") for i in sorted(audio_paths.keys() - texts)),
            *(
                LeftOut("", i, "no recording")
                for i in sorted(texts.keys() - audio_paths)
            ),
        ]
        recordings = [
            Recording(id, audio_paths[id], _read_text(texts[id]), _speaker(id))
            for id in ids
        ]
        splits, common = self._cut(describe_files(recordings, self.name))
        return splits, left_out + common

    def _cut(
        self, utterances: Sequence[Utterance]
    ) -> tuple[dict[str, list[Utterance]], list[LeftOut]]:
        speakers = sorted({_speaker(utterance.id) for utterance in utterances})
        places = {speaker: place for place, speaker in enumerate(speakers, 1)}
        by_place = {_STEP - 1: "dev", 0: "test"}
        said_by = {(_plain(u.text), u.speaker) for u in utterances}
        counts = Counter(text for text, _ in said_by)
        splits: dict[str, list[Utterance]] = {"train": [], "dev": [], "test": []}
        common = []
        for utterance in utterances:
            place = places[_speaker(utterance.id)] % _STEP
            split = by_place.get(place, "train")
            is_common = counts[_plain(utterance.text)] > _COMMON * len(speakers)
            if is_common and split != "train" and not self.common_texts:
                common.append(LeftOut(split, utterance.id, "everybody reads it"))
            else:
                splits[split].append(utterance)
        return splits, common


def _speaker(id: str) -> str:
    return id.partition("_")[0]


def _plain(text: str) -> str:
    """What two readers of one sentence have in common."""
    return "".join(filter(str.isalnum, text.lower()))


def _read_text(path: Path) -> str:
    text = " ".join(" ".join(read_lines(path, "a sentence")).split())
    if not text:
        raise InputError(
            f"{path}: empty, expected a sentence; take the original archive"
        )
    return text
