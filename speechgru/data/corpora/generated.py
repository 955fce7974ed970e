"""A corpus whose audio is made here, whole or not at all."""

import json
import logging
import tempfile
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import soundfile
from torch import Tensor

from speechgru.audio import inspect_audio
from speechgru.data.corpora.corpus import Corpus, describe_file
from speechgru.data.manifest import write_manifest
from speechgru.data.source import PreparedReport
from speechgru.interfaces import InputError, Utterance
from speechgru.ranges import COUNT, LARGEST_SEED, SAMPLE_RATE, check, whole

_log = logging.getLogger(__name__)


class MadeCorpus(Corpus):
    """A corpus whose audio is made here, as its settings say.

    `root` is replaced as a whole, by one rename, once audio, manifests and
    `settings.json` are all there: what is half made is never called prepared.

    Args:
        name: as for Corpus.
        root: folder of all that is made, and of nothing else.
    """

    keeps_settings = True

    def prepare(self) -> PreparedReport:
        """Make all that is not there yet with these settings.

        Raises:
            InputError: it cannot be made, or the folder cannot be written.
        """
        splits = self._read_ready()
        if splits is None:
            _log.info("%s: making %s", self.name, self.root)
            self._replace_root()
            splits = {split: self.read(split) for split in self.splits}
        return self._report(splits)

    @abstractmethod
    def _settings(self) -> dict[str, Any]:
        """What the audio depends on, as JSON gives it back."""

    @abstractmethod
    def _make(self, folder: Path) -> Mapping[str, Sequence[Utterance]]:
        """Write audio below a folder, and describe it there, split by split."""

    def _settings_path(self, split: str = "") -> Path:
        return self.root / "settings.json"

    def _replace_root(self) -> None:
        try:
            self.root.parent.mkdir(parents=True, exist_ok=True)
            # A folder of its own: another process may be doing the same.
            with tempfile.TemporaryDirectory(
                prefix=f".{self.root.name}.", dir=self.root.parent
            ) as temporary:
                made = Path(temporary) / "made"
                for split, utterances in self._make(made / "wav").items():
                    write_manifest(made / f"{split}.jsonl", utterances)
                settings = json.dumps(self._settings(), indent=1)
                (made / self._settings_path().name).write_text(settings)
                if self.root.exists():
                    self.root.rename(Path(temporary) / "outdated")
                made.rename(self.root)
        except OSError as error:
            raise InputError(
                f"{self.root}: cannot be written ({error.strerror or error}), "
                "expected a writable folder with space left; set data_dir"
            ) from error

    def _read_ready(self) -> dict[str, Sequence[Utterance]] | None:
        """What an earlier run made with the same settings, if all is there."""
        try:
            splits = {split: self.read(split) for split in self.splits}
            for utterances in splits.values():
                for utterance in utterances:
                    inspect_audio(utterance.audio_path)
        except InputError:
            return None
        return splits


def check_made(
    utterances: Mapping[str, int], splits: Sequence[str], sample_rate: int, seed: int
) -> None:
    """Hold what every made corpus is asked for against its range.

    Raises:
        OptionError: a number of utterances, the rate or the seed.
    """
    for split in splits:
        check(f"utterances.{split}", utterances.get(split), COUNT)
    check("sample_rate", sample_rate, SAMPLE_RATE)
    check("seed", seed, whole(-LARGEST_SEED, LARGEST_SEED))


def write_utterance(
    path: Path, waveform: Tensor, sample_rate: int, text: str, speaker: str | None
) -> Utterance:
    """Write (S,) samples as 16-bit PCM, and describe the file."""
    samples = waveform.clamp(-1, 1).numpy()
    content = BytesIO()  # libsndfile would not say what the disk says
    soundfile.write(content, samples, sample_rate, subtype="PCM_16", format="WAV")
    path.write_bytes(content.getbuffer())
    return describe_file(path.stem, path, text, speaker)
