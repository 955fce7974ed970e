"""What every corpus can do: prepare itself, and hand out its splits."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from speechgru.audio import inspect_audio
from speechgru.bounded import read_json
from speechgru.data.manifest import write_manifest
from speechgru.data.manifest_table import open_manifest
from speechgru.data.source import PreparedReport, UnknownSplitError, report
from speechgru.files import replace_file, to_json
from speechgru.interfaces import InputError, Utterance


class Corpus(ABC):
    """A named corpus whose splits are manifests in one folder.

    Args:
        name: what messages and commands call it.
        root: folder of the manifests and, for most corpora, the audio.
    """

    splits: tuple[str, ...] = ("train", "dev", "test")

    keeps_settings = False
    """Whether what is prepared always says with what; else older versions did not."""

    def __init__(self, name: str, root: str | Path) -> None:
        self.name = name
        self.root = Path(root)

    @property
    def variant(self) -> str:
        """The name, and which it is where there are several of that name."""
        return self.name

    @property
    def prepare_command(self) -> str:
        """What a message tells people to run."""
        return f"speechgru prepare corpus={self.name}"

    def manifest_path(self, split: str) -> Path:
        """Where a split is described. Raises InputError: unknown split."""
        if split not in self.splits:
            raise UnknownSplitError(self.name, split, self.splits)
        return self.root / f"{split}.jsonl"

    def read(self, split: str) -> Sequence[Utterance]:
        """The utterances of a split, in the order of its manifest.

        Raises:
            InputError: unknown split, not prepared, prepared with other settings, or a
                bad manifest.
        """
        path = self.manifest_path(split)
        if not path.exists():
            raise InputError(
                f"{path}: no such file, {self.name} is not prepared; "
                f"run: {self.prepare_command}"
            )
        if self.keeps_settings or self._settings_path(split).exists():
            self._check_settings(split)
        return open_manifest(path)

    def _settings(self) -> Mapping[str, Any]:
        """Options that what is prepared depends on, but not where it lies, as JSON."""
        return {}

    def _settings_path(self, split: str) -> Path:
        """Where those are kept that a split was prepared with."""
        return self.manifest_path(split).with_suffix(".settings.json")

    def _check_settings(self, split: str) -> None:
        """See that a split was prepared with these settings. Raises InputError."""
        path = self._settings_path(split)
        try:
            found = dict(read_json(path))
        except (OSError, ValueError, TypeError):
            found = {}
        for key, expected in self._settings().items():
            if found.get(key) != expected:
                raise InputError(
                    f"{path}: {key} is {found.get(key)}, expected {expected}; to make "
                    f"it anew, run with all your options: {self.prepare_command}"
                )

    @abstractmethod
    def prepare(self) -> PreparedReport:
        """Put audio and manifests in place; doing it twice is the same as once.

        Raises:
            InputError: something is missing, damaged, or not what is expected.
        """

    def _write(self, splits: Mapping[str, Sequence[Utterance]]) -> None:
        settings = self._settings()
        for split, utterances in splits.items():
            # A manifest never lies beside the settings of another one.
            self._settings_path(split).unlink(missing_ok=True)
            write_manifest(self.manifest_path(split), utterances)
            if settings:
                replace_file(self._settings_path(split), to_json(settings, indent=1))

    def _report(
        self, splits: Mapping[str, Sequence[Utterance]], notes: Sequence[str] = ()
    ) -> PreparedReport:
        manifests = {split: self.manifest_path(split) for split in splits}
        return report(self.name, splits, manifests, notes=notes)


def describe_file(
    id: str, audio_path: Path, text: str, speaker: str | None
) -> Utterance:
    """An utterance that is a whole file; its duration comes from the header."""
    return Utterance(
        id=id,
        audio_path=audio_path,
        duration=inspect_audio(audio_path).duration,
        text=text,
        speaker=speaker,
    )
