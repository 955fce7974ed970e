"""CMU AN4: spelled words, numbers and commands, 16 kHz, 84 speakers.

Source: https://github.com/cmusphinx/an4 (BSD-style licence); recorded at
Carnegie Mellon University around 1991.
"""

import re
from pathlib import Path

from speechgru.data.corpora.archived import ArchivedCorpus
from speechgru.data.corpora.corpus import describe_file
from speechgru.interfaces import InputError, Utterance

_DEV_STEP = 10  # every tenth training speaker


class AN4(ArchivedCorpus):
    """CMU AN4 with its own test set, and a dev set of training speakers.

    dev holds the training speakers at positions 10, 20, ... of the sorted
    list, train the others, so no speaker is in two splits. The arguments are
    those of ArchivedCorpus.
    """

    patterns = ("etc/an4_t*.transcription", "wav/*/*/*.wav")

    def _read_files(self) -> dict[str, list[Utterance]]:
        training = self._read_half("train", "an4_clstk")
        speakers = sorted({u.speaker for u in training if u.speaker is not None})
        dev_speakers = set(speakers[_DEV_STEP - 1 :: _DEV_STEP])
        return {
            "train": [u for u in training if u.speaker not in dev_speakers],
            "dev": [u for u in training if u.speaker in dev_speakers],
            "test": self._read_half("test", "an4test_clstk"),
        }

    def _read_half(self, half: str, folder: str) -> list[Utterance]:
        """Pair `etc/an4_<half>.transcription` with `wav/<folder>`, one to one."""
        transcription = self.files / "etc" / f"an4_{half}.transcription"
        audio_paths = {
            path.stem: path
            for path in sorted((self.files / "wav" / folder).glob("*/*.wav"))
        }
        texts = _read_transcription(transcription)
        for id in texts:
            if id not in audio_paths:
                raise InputError(
                    f"{id}: in {transcription} but without an audio file in "
                    f"wav/{folder}; take the original archive"
                )
        for id, path in audio_paths.items():
            if id not in texts:
                raise InputError(
                    f"{path}: without a line in {transcription}; "
                    "take the original archive"
                )
        return [
            describe_file(id, path, texts[id], speaker=path.parent.name)
            for id, path in sorted(audio_paths.items())
        ]


def _read_transcription(path: Path) -> dict[str, str]:
    """Lines such as `<s> GO ON </s> (an253-fash-b)`; test lines lack the tags."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}), expected transcripts; "
            "take the original archive"
        ) from error
    texts: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        match = re.fullmatch(r"(?:<s> )?(.+?)(?: </s>)? \((\S+)\)", line.strip())
        if match is None or match[2] in texts:
            raise InputError(
                f"{path}:{number}: '{line}' is not one new transcript and its id, "
                "expected e.g. 'GO ON (an253-fash-b)'; take the original archive"
            )
        texts[match[2]] = match[1]
    return texts
