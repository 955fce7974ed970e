"""Connected digits in synthetic voices: a corpus that needs no download."""

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from speechgru.audio import resample_audio
from speechgru.data.corpora.espeak import Espeak
from speechgru.data.corpora.generated import MadeCorpus, check_made, write_utterance
from speechgru.interfaces import InputError, Utterance
from speechgru.progress import track
from speechgru.ranges import check_pair, whole

DIGITS = (
    "ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE",
)  # fmt: skip


class SynthDigits(MadeCorpus):
    """Digit strings such as ONE TWO NINE, spoken by espeak-ng.

    No voice and no voice variant is in two splits. What utterance i of a
    split says, and in which voice, speed and pitch, follows from (seed,
    split, i) alone; the samples differ a little between runs, because the
    synthesiser carries its phase from one utterance to the next.

    Args:
        name: as for Corpus.
        root: as for Corpus.
        voices: per split, e.g. "en-us+f3": an accent and a variant.
        utterances: number per split.
        num_digits: fewest and most digits in an utterance.
        speeds: slowest and fastest, words per minute.
        pitches: lowest and highest, on espeak-ng's scale from 0 to 100.
        sample_rate: Hz.
        seed: of all choices.

    Raises:
        InputError: a voice variant in two splits, or a split without voices.
    """

    def __init__(
        self,
        name: str,
        root: str | Path,
        voices: Mapping[str, Sequence[str]],
        utterances: Mapping[str, int],
        num_digits: Sequence[int],
        speeds: Sequence[int],
        pitches: Sequence[int],
        sample_rate: int,
        seed: int,
    ) -> None:
        super().__init__(name, root)
        self.voices = {split: list(voices[split]) for split in self.splits}
        check_pair("num_digits", num_digits, whole(1, 1000))
        check_pair("speeds", speeds, whole(80, 450))  # what espeak-ng obeys
        check_pair("pitches", pitches, whole(0, 100))
        check_made(utterances, self.splits, sample_rate, seed)
        self.utterances = {split: utterances[split] for split in self.splits}
        self.num_digits = tuple(num_digits)
        self.speeds = tuple(speeds)
        self.pitches = tuple(pitches)
        self.sample_rate = sample_rate
        self.seed = seed
        self._check_voices()

    def _make(self, folder: Path) -> dict[str, list[Utterance]]:
        espeak = Espeak()
        return {
            split: list(self._synthesise(espeak, split, folder / split))
            for split in self.splits
        }

    def _synthesise(
        self, espeak: Espeak, split: str, folder: Path
    ) -> Iterator[Utterance]:
        """Write and describe the utterances of a split."""
        folder.mkdir(parents=True)
        indices = range(self.utterances[split])
        for index in track(indices, f"{self.name} {split}", "utterances"):
            choose = random.Random(f"{self.seed}/{split}/{index}")
            # By turns, so that every voice says equally much.
            voice = self.voices[split][index % len(self.voices[split])]
            words = choose.choices(DIGITS, k=choose.randint(*self.num_digits))
            waveform = espeak.speak(
                " ".join(words).lower(),
                voice=voice,
                speed=choose.randint(*self.speeds),
                pitch=choose.randint(*self.pitches),
            )
            waveform = resample_audio(waveform, espeak.sample_rate, self.sample_rate)
            path = folder / f"{split}-{index:05d}-{voice}.wav"
            yield write_utterance(
                path, waveform, self.sample_rate, " ".join(words), speaker=voice
            )

    def _settings(self) -> dict[str, Any]:
        return {
            "voices": self.voices,
            "utterances": self.utterances,
            "num_digits": list(self.num_digits),
            "speeds": list(self.speeds),
            "pitches": list(self.pitches),
            "sample_rate": self.sample_rate,
            "seed": self.seed,
        }

    def _check_voices(self) -> None:
        owners: dict[str, str] = {}
        for split, voices in self.voices.items():
            if not voices:
                raise InputError(
                    f"{self.name} {split}: no voices, expected one or more; "
                    f"set corpus.voices.{split}"
                )
            for voice in voices:
                variant = voice.partition("+")[2]
                owner = owners.setdefault(variant, split)
                if owner != split:
                    raise InputError(
                        f"{self.name}: variant '{variant}' speaks in {owner} and in "
                        f"{split}, expected other voices in each split; "
                        f"change corpus.voices.{split}"
                    )
