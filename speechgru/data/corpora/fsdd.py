"""Connected digits, joined from the isolated ones of six men.

Source: the Free Spoken Digit Dataset (CC BY-SA 4.0), 8 kHz,
https://github.com/Jakobovski/free-spoken-digit-dataset.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from speechgru.audio import read_audio, resample_audio
from speechgru.data.corpora.archived import ArchivedCorpus
from speechgru.data.corpora.corpus import describe_file
from speechgru.data.corpora.generated import MadeCorpus, check_made, write_utterance
from speechgru.data.corpora.synth_digits import DIGITS
from speechgru.interfaces import InputError, Utterance
from speechgru.progress import track
from speechgru.ranges import Range, check_pair, whole

_TRAIN_SPEAKERS = ("george", "jackson", "lucas", "nicolas")
_TEST_SPEAKERS = ("theo", "yweweler")
_SPEAKERS = _TRAIN_SPEAKERS + _TEST_SPEAKERS
_RECORDED_RATE = 8000  # Hz
_USUAL_RATE = 16000  # Hz
_FRAME = 200  # samples, 25 ms

_Pool = dict[tuple[str, str], list[Tensor]]
"""Waveforms by speaker and digit."""


class FSDD(MadeCorpus):
    """Digit strings such as ONE TWO NINE, each of one speaker's recordings.

    Which recordings a split may use, `allot` says. What utterance i of a
    split is made of follows from (seed, partition, split, i) and those
    recordings alone. Each partition, dev_speaker and sample_rate has a folder of
    its own below `root`, beside the unpacked archive that they share.

    Args:
        name: as for Corpus.
        root: folder of the archive's files and of all partitions.
        archive: as for ArchivedCorpus.
        archives: as for ArchivedCorpus.
        partition: official or unseen.
        dev_speaker: whom to leave out of train, or None; see `allot`.
        utterances: number to make per split; under "recordings" the expected
            number of isolated digits.
        hours: under "recordings" the expected h of isolated digits.
        num_digits: fewest and most digits in an utterance.
        pauses: shortest and longest pause between two digits, s.
        sample_rate: Hz.
        seed: of all choices.

    Raises:
        InputError: unknown partition or dev_speaker, or an impossible range.
    """

    def __init__(
        self,
        name: str,
        root: str | Path,
        archive: str | None,
        archives: Sequence[Mapping[str, Any]],
        partition: str,
        dev_speaker: str | None,
        utterances: Mapping[str, int],
        hours: Mapping[str, float | None] | None,
        num_digits: Sequence[int],
        pauses: Sequence[float],
        sample_rate: int,
        seed: int,
    ) -> None:
        self.allotment = allot(partition, dev_speaker)
        left_out = f"-dev-{dev_speaker}" if dev_speaker else ""
        rate = "" if sample_rate == _USUAL_RATE else f"-{sample_rate / 1000:g}kHz"
        super().__init__(name, Path(root) / f"{partition}{left_out}{rate}")
        self.recordings = IsolatedDigits(
            name, root, archive, archives, utterances, hours
        )
        self.partition = partition
        self.dev_speaker = dev_speaker
        check_made(utterances, self.splits, sample_rate, seed)
        check_pair("num_digits", num_digits, whole(1, 1000))
        check_pair("pauses", pauses, Range(0, 60))
        self.utterances = {split: utterances[split] for split in self.splits}
        self.num_digits = list(num_digits)
        self.pauses = list(pauses)
        self.sample_rate = sample_rate
        self.seed = seed

    @property
    def variant(self) -> str:
        """Without addition where it is the official one."""
        usual = self.root.name == "official"
        return self.name if usual else f"{self.name}-{self.root.name}"

    @property
    def prepare_command(self) -> str:
        """What a message tells people to run."""
        command = f"{super().prepare_command} corpus.partition={self.partition}"
        if self.dev_speaker:
            command += f" corpus.dev_speaker={self.dev_speaker}"
        if self.sample_rate != _USUAL_RATE:
            command += f" corpus.sample_rate={self.sample_rate}"
        return command

    def _settings(self) -> dict[str, Any]:
        return {
            "sha256": self.recordings.archives[0].sha256,
            "partition": self.partition,
            "dev_speaker": self.dev_speaker,
            "utterances": self.utterances,
            "num_digits": self.num_digits,
            "pauses": self.pauses,
            "sample_rate": self.sample_rate,
            "seed": self.seed,
        }

    def _make(self, folder: Path) -> dict[str, list[Utterance]]:
        self.recordings.prepare()
        paths = {u.id: u.audio_path for u in self.recordings.read("recordings")}
        pools = {split: self._read_pool(split, paths) for split in self.splits}
        return {
            split: list(self._join(split, pools[split], folder / split))
            for split in self.splits
        }

    def _read_pool(self, split: str, paths: Mapping[str, Path]) -> _Pool:
        """What a split may use of the recordings."""
        pool: _Pool = {}
        for speaker, indices in self.allotment[split].items():
            for digit, word in enumerate(DIGITS):
                ids = [f"{digit}_{speaker}_{index}" for index in indices]
                found = [_read_recording(paths[id]) for id in ids if id in paths]
                if not found:
                    raise InputError(
                        f"{self.name} {split}: no recording of {word} by {speaker}, "
                        f"expected {ids[0]}.wav to {ids[-1]}.wav; take the original "
                        "archive"
                    )
                pool[speaker, word] = found
        return pool

    def _join(self, split: str, pool: _Pool, folder: Path) -> Iterator[Utterance]:
        """Write and describe the utterances of a split."""
        folder.mkdir(parents=True)
        speakers = list(self.allotment[split])
        shortest, longest = (round(pause * _RECORDED_RATE) for pause in self.pauses)
        indices = range(self.utterances[split])
        for index in track(indices, f"{self.name} {split}", "utterances"):
            choose = random.Random(f"{self.seed}/{self.partition}/{split}/{index}")
            # By turns, so that everybody says equally much.
            speaker = speakers[index % len(speakers)]
            words = choose.choices(DIGITS, k=choose.randint(*self.num_digits))
            waveform = join_recordings(
                [choose.choice(pool[speaker, word]) for word in words],
                [choose.randint(shortest, longest) for _ in words[1:]],
                seed=choose.getrandbits(63),
            )
            # Joined before, so that the pauses have as little above 4 kHz as
            # the digits.
            waveform = resample_audio(waveform, _RECORDED_RATE, self.sample_rate)
            path = folder / f"{split}-{index:05d}-{speaker}.wav"
            yield write_utterance(
                path, waveform, self.sample_rate, " ".join(words), speaker
            )


class IsolatedDigits(ArchivedCorpus):
    """The dataset as it is: one digit per recording, in the split "recordings".

    The arguments are those of ArchivedCorpus.
    """

    splits = ("recordings",)
    patterns = ("recordings/*.wav",)

    def _read_files(self) -> dict[str, list[Utterance]]:
        utterances = []
        for path in sorted((self.files / "recordings").glob("*.wav")):
            match = re.fullmatch(rf"(\d)_({'|'.join(_SPEAKERS)})_[1-4]?\d", path.stem)
            if match is None:
                raise InputError(
                    f"{path}: the name is not of a known recording, expected "
                    "DIGIT_SPEAKER_INDEX.wav such as 7_jackson_32.wav, of "
                    f"{', '.join(_SPEAKERS)}, 0 to 49; take the original archive"
                )
            word = DIGITS[int(match[1])]
            utterances.append(describe_file(path.stem, path, word, speaker=match[2]))
        return {"recordings": utterances}


def allot(partition: str, dev_speaker: str | None) -> dict[str, dict[str, range]]:
    """Who is in which split, with which recordings of each digit.

    No recording is in two splits. Recordings 0-4, the official test set, are
    in no train split.

    Args:
        partition: "official" has all speakers in every split; dev is cut by
            recording. "unseen" tests on two speakers whom train lacks. Its
            dev has other recordings of the training speakers, enough to
            choose an epoch by; like both of official, it says nothing about
            new voices.
        dev_speaker: a training speaker of "unseen" who is left out of train
            and becomes the whole of dev, to make choices for new voices by.

    Returns:
        By split and speaker, the indices of recordings.

    Raises:
        InputError: unknown partition, or a dev_speaker who cannot be one.
    """
    if partition not in ("official", "unseen"):
        raise InputError(
            f"unknown partition '{partition}', expected official or unseen; "
            "correct corpus.partition"
        )
    if dev_speaker is not None and partition == "official":
        raise InputError(
            f"dev_speaker is '{dev_speaker}', expected null with partition official, "
            "which trains on everybody; set corpus.partition=unseen"
        )
    if dev_speaker not in (None, *_TRAIN_SPEAKERS):
        raise InputError(
            f"dev_speaker is '{dev_speaker}', expected null or one of "
            f"{', '.join(_TRAIN_SPEAKERS)}; correct corpus.dev_speaker"
        )
    if partition == "official":
        return {
            "train": dict.fromkeys(_SPEAKERS, range(10, 50)),
            "dev": dict.fromkeys(_SPEAKERS, range(5, 10)),
            "test": dict.fromkeys(_SPEAKERS, range(5)),
        }
    others = [speaker for speaker in _TRAIN_SPEAKERS if speaker != dev_speaker]
    return {
        "train": dict.fromkeys(others, range(5, 50)),
        "dev": {dev_speaker: range(50)}
        if dev_speaker
        else dict.fromkeys(others, range(5)),
        "test": dict.fromkeys(_TEST_SPEAKERS, range(50)),
    }


def join_recordings(
    recordings: Sequence[Tensor], pauses: Sequence[int], seed: int
) -> Tensor:
    """Put pauses of background noise between recordings.

    Zeros would give away where a word ends, as no room does: in log-mel they
    lie at the floor, -18.4 in every band, where the 5th percentile of a
    speaker's own frames is between -12 (lucas) and -5 (nicolas); and they make
    the deviation that normalize=utterance divides by up to 2.8 times as large.
    No single level fits all either: the median background is 26 dB louder
    with nicolas than with lucas. So the noise is white, and as loud as the
    quietest 25 ms of the recordings that are joined.

    Args:
        recordings: (S,) float32 each.
        pauses: samples between each two neighbours.
        seed: of the noise.

    Returns:
        (S,) float32, the recordings unchanged.
    """
    generator = torch.Generator().manual_seed(seed)
    level = min(_background(recording) for recording in recordings)
    pieces = [recordings[0]]
    for pause, recording in zip(pauses, recordings[1:], strict=True):
        pieces += [level * torch.randn(pause, generator=generator), recording]
    return torch.cat(pieces)


def _background(waveform: Tensor) -> float:
    """Deviation in the quietest frame; some microphones have an offset."""
    frames = waveform.unfold(0, min(_FRAME, len(waveform)), _FRAME // 2)
    return frames.std(dim=1, correction=0).min().item()


def _read_recording(path: Path) -> Tensor:
    waveform, rate = read_audio(path)
    if rate != _RECORDED_RATE:
        raise InputError(
            f"{path}: sample_rate is {rate} Hz, expected {_RECORDED_RATE}; "
            "take the original archive"
        )
    return waveform
