"""Utterances joined to long recordings, which show how a model hears those."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from speechgru.audio import resample_audio
from speechgru.data.augment.noise import colored_noise
from speechgru.data.augment.silence import own_background
from speechgru.data.corpora.generated import MadeCorpus, write_utterance
from speechgru.data.manifest_table import open_manifest
from speechgru.data.randomness import keyed_seed
from speechgru.data.segments import SegmentReader
from speechgru.interfaces import InputError, Utterance
from speechgru.progress import track
from speechgru.ranges import (
    DECIBELS,
    LARGEST_SEED,
    SAMPLE_RATE,
    Range,
    check,
    check_each,
    check_pair,
    whole,
)

_MINUTES = whole(1, 180)  # a recording is made in memory
_GAP = Range(0, 600)  # s


@dataclass(frozen=True)
class _Joined:
    """A recording, and where its utterances lie in it.

    Attributes:
        waveform: (S,) float32.
        parts: the utterances, each with its offset and duration in s.
    """

    waveform: Tensor
    parts: Sequence[Utterance]


class LongForm(MadeCorpus):
    """The utterances of a manifest in recordings of about so many minutes.

    All utterances follow each other in an order that is drawn, as often as it takes to
    fill a recording about, and are dealt to as many recordings as they fill: each
    counts as much as the others. Before, between and behind them are gaps with the
    background of the utterances beside them. Noise, white, pink or brown, lasts all of
    a recording, and changes its colour and level every half a minute. All is drawn by
    the seed.

    Args:
        name: as for Corpus.
        root: folder of the folders that are made, one for each manifest.
        manifest: path.
        minutes: of recordings, about, for each of which there are four splits.
        gaps: s, shortest and longest.
        noise: dB, lowest and highest ratio of the energies of speech and noise.
        sample_rate: Hz.
        seed: of all choices.
    """

    def __init__(
        self,
        name: str,
        root: str | Path,
        manifest: str | Path,
        minutes: Sequence[int],
        gaps: Sequence[float],
        noise: Sequence[float],
        sample_rate: int,
        seed: int,
    ) -> None:
        self.manifest = Path(manifest)
        folder = f"{self.manifest.absolute().parent.name}-{self.manifest.stem}"
        super().__init__(name, Path(root) / folder)
        check_each("minutes", minutes, _MINUTES)
        check_pair("gaps", gaps, _GAP)
        check_pair("noise", noise, DECIBELS)
        check("sample_rate", sample_rate, SAMPLE_RATE)
        check("seed", seed, whole(-LARGEST_SEED, LARGEST_SEED))
        self.minutes = tuple(dict.fromkeys(minutes))
        self.gaps = tuple(gaps)
        self.noise = tuple(noise)
        self.sample_rate = sample_rate
        self.seed = seed
        self.splits = tuple(
            f"{count}min{noisy}{apart}"
            for count in self.minutes
            for noisy in ("", "-noisy")
            for apart in ("", "-apart")
        )

    @property
    def variant(self) -> str:
        """The name, and of what the recordings are."""
        return f"{self.name}-{self.root.name}"

    @property
    def prepare_command(self) -> str:
        """What a message tells people to run."""
        return f"{super().prepare_command} corpus.manifest={self.manifest}"

    def _settings(self) -> dict[str, Any]:
        try:
            content = self.manifest.read_bytes()
        except OSError as error:
            raise InputError(
                f"{self.manifest}: cannot be read ({error.strerror}), expected the "
                "manifest whose utterances are joined; set corpus.manifest"
            ) from error
        return {
            "manifest": blake2b(content, digest_size=16).hexdigest(),
            "minutes": list(self.minutes),
            "gaps": list(self.gaps),
            "noise": list(self.noise),
            "sample_rate": self.sample_rate,
            "seed": self.seed,
        }

    def _make(self, folder: Path) -> Mapping[str, Sequence[Utterance]]:
        utterances = open_manifest(self.manifest)
        splits: dict[str, list[Utterance]] = {split: [] for split in self.splits}
        for count in self.minutes:
            for noisy in ("", "-noisy"):
                split = f"{count}min{noisy}"
                (folder / split).mkdir(parents=True)
                shares = self._deal(utterances, 60.0 * count)
                for number, share in enumerate(
                    track(shares, f"{self.name} {split}", "recordings")
                ):
                    name = f"{split}-{number:03d}"
                    joined = self._join(share, name, add_noise=bool(noisy))
                    path = folder / split / f"{name}.wav"
                    recording = write_utterance(
                        path,
                        joined.waveform,
                        self.sample_rate,
                        " ".join(part.text for part in joined.parts),
                        speaker=None,
                    )
                    splits[split].append(recording)
                    splits[f"{split}-apart"] += [
                        replace(part, id=f"{name}-{place:04d}", audio_path=path)
                        for place, part in enumerate(joined.parts)
                    ]
        return splits

    def _deal(
        self, utterances: Sequence[Utterance], seconds: float
    ) -> list[list[Utterance]]:
        """The utterances of each recording of about so many seconds."""
        gap = sum(self.gaps) / 2
        once = math.fsum(utterance.duration + gap for utterance in utterances)
        order: list[int] = []
        for turn in range(max(1, round(seconds / once))):
            indices = list(range(len(utterances)))
            random.Random(keyed_seed(self.seed, "order", turn)).shuffle(indices)
            order += indices
        total = once * len(order) / len(utterances)
        num_recordings = max(1, round(total / seconds))
        shares: list[list[Utterance]] = [[] for _ in range(num_recordings)]
        begins = 0.0
        for index in order:
            share = int(begins / total * num_recordings)
            shares[min(share, num_recordings - 1)].append(utterances[index])
            begins += utterances[index].duration + gap
        return [share for share in shares if share]

    def _join(
        self, utterances: Sequence[Utterance], name: str, add_noise: bool
    ) -> _Joined:
        """Put utterances one behind another."""
        # The same gaps with noise and without.
        key = name.replace("-noisy", "")
        gaps = random.Random(keyed_seed(self.seed, "gaps", key))
        numbers = torch.Generator().manual_seed(keyed_seed(self.seed, "sound", key))
        reader = SegmentReader()
        parts: list[Utterance] = []
        sounds: list[Tensor] = []
        num_samples, energy, num_spoken = 0, 0.0, 0
        before = torch.zeros(0)
        for utterance in utterances:
            waveform, rate = reader.read(utterance)
            waveform = resample_audio(waveform, rate, self.sample_rate)
            gap = self._fill(gaps.uniform(*self.gaps), before, waveform, numbers)
            num_samples += len(gap)
            parts.append(
                replace(
                    utterance,
                    offset=num_samples / self.sample_rate,
                    duration=len(waveform) / self.sample_rate,
                    partial=True,
                    byte_range=None,
                )
            )
            sounds += [gap, waveform]
            num_samples += len(waveform)
            energy += float(waveform.double().square().sum())
            num_spoken += len(waveform)
            before = waveform
        last = self._fill(gaps.uniform(*self.gaps), before, torch.zeros(0), numbers)
        joined = torch.cat([*sounds, last])
        if add_noise:
            draws = random.Random(keyed_seed(self.seed, "noise", name))
            loudness = math.sqrt(energy / num_spoken)
            joined.add_(self._draw_noise(len(joined), draws), alpha=loudness)
        joined /= max(1.0, float(joined.abs().max()))
        return _Joined(joined, parts)

    def _fill(
        self, seconds: float, before: Tensor, behind: Tensor, numbers: torch.Generator
    ) -> Tensor:
        """Samples of a gap: the background of what is before, then of what follows."""
        num_samples = round(seconds * self.sample_rate)
        sides = [side for side in (before, behind) if len(side)]
        halves = [num_samples // len(sides)] * (len(sides) - 1)
        halves.append(num_samples - sum(halves))
        return torch.cat(
            [
                own_background(side, half, self.sample_rate, numbers)
                for side, half in zip(sides, halves, strict=True)
            ]
        )

    def _draw_noise(self, num_samples: int, draws: random.Random) -> Tensor:
        """Draw (num_samples,) for speech of mean square 1.

        Stretches of a minute, each of a colour and at a ratio of its own, fade into
        each other, so that a single recording is no lottery.
        """
        half = 30 * self.sample_rate
        fading = ((torch.arange(2 * half) + 0.5) / (2 * half) * math.pi).sin()
        noise = torch.zeros(num_samples + 4 * half)
        for start in range(0, num_samples + half, half):
            numbers = torch.Generator().manual_seed(draws.getrandbits(63))
            exponent = draws.choice([0.0, 1.0, 2.0])
            ratio = 10 ** (draws.uniform(*self.noise) / 20)
            stretch = colored_noise(2 * half, exponent, numbers)
            stretch *= fading / (ratio * float(stretch.square().mean().sqrt()))
            noise[start : start + 2 * half] += stretch
        return noise[half : half + num_samples]
