"""Common Voice: sentences that volunteers of many languages read, MP3.

Source: https://commonvoice.mozilla.org (CC0); releases since 2025 at
https://datacollective.mozillafoundation.org. "Common Voice: A Massively-Multilingual
Speech Corpus", arXiv:1912.06670.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from speechgru.data.corpora.choices import check_choice
from speechgru.data.corpora.common_voice_clips import describe_clips
from speechgru.data.corpora.common_voice_release import find_language
from speechgru.data.corpora.common_voice_splits import SPLITS, make_splits
from speechgru.data.corpora.corpus import Corpus
from speechgru.data.corpora.left_out import LeftOut, write_left_out
from speechgru.data.corpora.shared import name_shared
from speechgru.data.source import PreparedReport, UnknownSplitError
from speechgru.interfaces import InputError
from speechgru.ranges import LARGEST_SEED, Range, check, whole

_LANGUAGE = re.compile("[a-z]{2,3}(-[A-Za-z0-9]+)*")
_SHARE = Range(0, 0.5, below=True)
_MOST_LISTED = 20
_ALL = ("train", "dev", "test")


class CommonVoice(Corpus):
    """One language of a release of Common Voice.

    Downloads need an account, so a release is the user's: unpacked, or the archive
    of a language. Nothing in it is changed. Each language, and each way to make
    splits, has a folder of its own below `root`.

    Args:
        name: as for Corpus.
        root: folder of the manifests, and of archives that are unpacked.
        language: as Common Voice writes it, e.g. cy or zh-TW.
        release: folder of the unpacked release, or archive; None: look for it; see
            `find_language`.
        splits: official, validated or speakers; see `make_splits`.
        apart: leave out of a split that is made here what the others say; likewise.
        dev_share: of the utterances, at most, with splits=speakers.
        test_share: likewise.
        seed: of the order of speakers, likewise.
        on_error: of clips that are missing, damaged or without a sentence: "raise", or
            "skip": leave them out, and list them in left-out.jsonl.

    Raises:
        InputError: an option is not what it may be.
    """

    def __init__(
        self,
        name: str,
        root: str | Path,
        language: str,
        release: str | None,
        splits: str,
        apart: bool,
        dev_share: float,
        test_share: float,
        seed: int,
        on_error: str,
    ) -> None:
        if not _LANGUAGE.fullmatch(str(language)):
            raise InputError(
                f"corpus.language is {language!r}, expected one as Common Voice writes "
                "it, e.g. cy or zh-TW; put it in quotes"
            )
        check_choice("splits", splits, SPLITS)
        check_choice("on_error", on_error, ("raise", "skip"))
        check("dev_share", dev_share, _SHARE)
        check("test_share", test_share, _SHARE)
        check("seed", seed, whole(-LARGEST_SEED, LARGEST_SEED))
        super().__init__(name, Path(root) / language / splits)
        self.unpacked = Path(root) / "files"
        self.language = language
        self.release = release
        self.kind = splits
        self.apart = apart
        self.shares = {"test": test_share, "dev": dev_share}
        self.seed = seed
        self.skips = on_error == "skip"

    @property
    def splits(self) -> tuple[str, ...]:
        """Those that are prepared; before any is, all."""
        return tuple(s for s in _ALL if self.manifest_path(s).exists()) or _ALL

    @property
    def variant(self) -> str:
        """The name, the language, and the splits unless they are official."""
        made = "" if self.kind == "official" else f"-{self.kind}"
        return f"{self.name}-{self.language}{made}"

    @property
    def prepare_command(self) -> str:
        """What a message tells people to run."""
        made = "" if self.kind == "official" else f" corpus.splits={self.kind}"
        return (
            f"{super().prepare_command} corpus.language={self.language}{made} "
            "corpus.release=FOLDER"
        )

    def _settings(self) -> Mapping[str, Any]:
        if self.kind == "official":
            return {}
        return {"apart": self.apart, "shares": self.shares, "seed": self.seed}

    def manifest_path(self, split: str) -> Path:
        """Where a split is described. Raises InputError: unknown split."""
        if split not in _ALL:
            raise UnknownSplitError(self.variant, split, self.splits)
        return self.root / f"{split}.jsonl"

    def prepare(self) -> PreparedReport:
        """Find the release, read its tables and durations, write the manifests.

        Raises:
            InputError: no release, or no such language or table in it; a bad line;
                a clip in two splits; clips that are missing, damaged or without a
                sentence, unless they are to be left out.
        """
        folder = find_language(self.release, self.language, self.unpacked)
        tables, notes = make_splits(
            folder, self.kind, self.apart, self.shares, self.seed
        )
        splits, left_out, more = describe_clips(folder, tables)
        if left_out and not self.skips:
            raise _unusable(folder, left_out)
        notes = [f"from {folder}", *notes, *more, *name_shared(splits)]
        if not any(splits.values()):
            raise InputError(
                f"{folder}: not one utterance, expected some; take a whole release"
            )
        for split in tables:
            if not splits[split]:
                del splits[split]
                self.manifest_path(split).unlink(missing_ok=True)
                notes.append(f"{split}: no utterances, so there is no such split")
        self._write(splits)
        notes += write_left_out(self.root, left_out)
        return self._report(splits, [f"{self.variant} {note}" for note in notes])


def _unusable(folder: Path, clips: Sequence[LeftOut]) -> InputError:
    listed = [f"{clip.split} {clip.file}: {clip.reason}" for clip in clips]
    if len(listed) > _MOST_LISTED:
        listed[_MOST_LISTED:] = [f"... and {len(listed) - _MOST_LISTED} more"]
    first = (
        f"{folder}: clips that cannot be used: {len(clips)}; unpack the whole release "
        "anew, or set corpus.on_error=skip to leave them out"
    )
    return InputError("\n".join([first, *listed]))
