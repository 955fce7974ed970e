"""Connected digits in synthetic voices: a corpus that needs no download."""

import json
import logging
import random
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import soundfile
from tqdm import tqdm

from speechgru.audio import inspect_audio, resample_audio
from speechgru.data.corpora.corpus import Corpus, PreparedReport
from speechgru.data.corpora.espeak import Espeak
from speechgru.interfaces import InputError, Utterance

_log = logging.getLogger(__name__)

DIGITS = (
    "ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE",
)  # fmt: skip


class SynthDigits(Corpus):
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
        self.utterances = {split: int(utterances[split]) for split in self.splits}
        self.num_digits = tuple(num_digits)
        self.speeds = tuple(speeds)
        self.pitches = tuple(pitches)
        self.sample_rate = sample_rate
        self.seed = seed
        self._check_voices()

    def prepare(self) -> PreparedReport:
        """Synthesise what is not there yet, and write the manifests.

        Raises:
            InputError: espeakng-loader is not installed, a voice does not
                exist, or the folder cannot be written.
        """
        ready = self._read_ready()
        if ready is not None:
            return self._report(ready)
        espeak = Espeak()
        audio = self.root / "wav"
        _log.info("%s: synthesising into %s", self.name, audio)
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            # A folder of its own: another process may be doing the same.
            with tempfile.TemporaryDirectory(prefix=".wav.", dir=self.root) as parent:
                partial = Path(parent) / "wav"
                splits = {
                    split: list(self._synthesise(espeak, split, partial, audio))
                    for split in self.splits
                }
                self._settings_path.unlink(missing_ok=True)
                if audio.exists():
                    shutil.rmtree(audio)
                partial.rename(audio)
            self._write(splits)
            self._settings_path.write_text(json.dumps(self._settings(), indent=1))
        except OSError as error:
            raise InputError(
                f"{self.root}: cannot be written ({error.strerror or error}), "
                "expected a writable folder with space left; set data_dir"
            ) from error
        return self._report(splits)

    def _synthesise(
        self, espeak: Espeak, split: str, partial: Path, audio: Path
    ) -> Iterator[Utterance]:
        """Write the files below `partial`; describe them where they will be."""
        (partial / split).mkdir(parents=True)
        progress = tqdm(
            range(self.utterances[split]), desc=f"{self.name} {split}", disable=None
        )
        for index in progress:
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
            id = f"{split}-{index:05d}-{voice}"
            soundfile.write(
                partial / split / f"{id}.wav",
                waveform.clamp(-1, 1).numpy(),
                self.sample_rate,
                subtype="PCM_16",
            )
            yield Utterance(
                id=id,
                audio_path=audio / split / f"{id}.wav",
                duration=len(waveform) / self.sample_rate,
                text=" ".join(words),
                speaker=voice,
            )

    @property
    def _settings_path(self) -> Path:
        return self.root / "settings.json"

    def _settings(self) -> dict[str, Any]:
        """What the audio depends on, as JSON gives it back."""
        return {
            "voices": self.voices,
            "utterances": self.utterances,
            "num_digits": list(self.num_digits),
            "speeds": list(self.speeds),
            "pitches": list(self.pitches),
            "sample_rate": self.sample_rate,
            "seed": self.seed,
        }

    def _read_ready(self) -> dict[str, list[Utterance]] | None:
        """What an earlier run made with the same settings, if all is there."""
        try:
            if json.loads(self._settings_path.read_text()) != self._settings():
                return None
            splits = {split: self.read(split) for split in self.splits}
            for utterances in splits.values():
                for utterance in utterances:
                    inspect_audio(utterance.audio_path)
        except (OSError, ValueError):  # InputError is a ValueError
            return None
        return splits

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
