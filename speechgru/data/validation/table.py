"""What is known of the utterances of a split: a column each, no objects."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from speechgru.data.validation.heard import HEARD
from speechgru.interfaces import Utterance


@dataclass(frozen=True)
class Table:
    """What is known of the utterances of a split, in their order.

    Attributes:
        heard: (N,) of dtype HEARD; a sample rate of 0: the audio is unusable.
        durations: (N,) s, as the manifest has them.
        ids: (N,) hashes of the ids.
        audio: (N,) hashes of what is decoded: a file, or the part of one.
        files: (N,) the same, of the files that links lead to; 0: unusable.
        texts: (N,) hashes of the normalised transcripts; 0: unusable.
        num_characters: (N,) of them, without spaces.
        num_targets: (N,) frames that CTC needs for them; 0: unusable.
        scripts: (N,) a bit for each script that has letters in the transcript.
    """

    heard: np.ndarray
    durations: np.ndarray
    ids: np.ndarray
    audio: np.ndarray
    files: np.ndarray
    texts: np.ndarray
    num_characters: np.ndarray
    num_targets: np.ndarray
    scripts: np.ndarray

    @classmethod
    def of(cls, utterances: Sequence[Utterance]) -> "Table":
        """What is known of utterances before anything is decoded."""
        size = len(utterances)
        durations = np.zeros(size)
        ids, audio = np.zeros(size, np.int64), np.zeros(size, np.int64)
        for index, utterance in enumerate(utterances):
            durations[index] = utterance.duration
            ids[index] = hash(utterance.id)
            audio[index] = hash(utterance.audio)
        return cls(
            heard=np.zeros(size, HEARD),
            durations=durations,
            ids=ids,
            audio=audio,
            files=np.zeros(size, np.int64),
            texts=np.zeros(size, np.int64),
            num_characters=np.zeros(size, np.int32),
            num_targets=np.zeros(size, np.int32),
            scripts=np.zeros(size, np.uint64),
        )

    @property
    def seconds(self) -> np.ndarray:
        """(N,) s of audio; 0 where it is unusable."""
        return self.heard["num_samples"] / np.maximum(self.heard["sample_rate"], 1)

    @property
    def speech_seconds(self) -> np.ndarray:
        """(N,) s without the silence before and behind the speech, at least 0.05."""
        edges = self.heard["leading"] + self.heard["trailing"]
        return np.maximum(self.seconds - edges, 0.05)

    def by_audio(self) -> np.ndarray:
        """Indices with those of one file together, so that it is decoded once."""
        _, first, places = np.unique(self.audio, return_index=True, return_inverse=True)
        return np.argsort(first[places], kind="stable")

    def repeated_ids(self) -> np.ndarray:
        """Indices of those whose id an earlier one has."""
        _, first = np.unique(self.ids, return_index=True)
        return np.setdiff1d(np.arange(len(self.ids)), first)
