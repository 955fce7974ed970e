"""TED-LIUM 3: 452 hours of talks in English, 16 kHz, cut by their transcripts.

Source: "TED-LIUM 3: twice as much data and corpus repartition for experiments on
speaker adaptation", arXiv:1805.04699; https://www.openslr.org/51 (CC BY-NC-ND 3.0,
the talks belong to TED).
"""

import logging
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from speechgru.audio import AudioInfo
from speechgru.data.corpora.archived import ArchivedCorpus
from speechgru.data.corpora.choices import check_choice
from speechgru.data.corpora.left_out import LeftOut
from speechgru.data.corpora.recordings import inspect_files
from speechgru.data.corpora.stm import IGNORED, Stretch, read_stm
from speechgru.files import read_lines
from speechgru.interfaces import InputError, Utterance
from speechgru.ranges import Range, check

Distribution = Literal["legacy", "speaker_adaptation"]

_OTHER = "speaker_adaptation"
_log = logging.getLogger(__name__)

_SUFFIX = re.compile(r"\s+(?='(?:s|re|ve|ll|d|m|t)\s)", re.IGNORECASE)
_UNKNOWN = "<unk>"
_UNKNOWN_CHOICES = ("remove", "keep", "leave_out")
_PADDING = Range(0, 1)


class TEDLIUM(ArchivedCorpus):
    """TED-LIUM 3 in one of its two distributions.

    The legacy one has the dev and test of release 2. The other, made for experiments
    on speaker adaptation, names the talks of each split in a list.

    A talk is one file, an utterance a stretch of it; start and length are rounded to
    whole samples. Stretches that nobody transcribed are left out, and so are those
    without a word; both are named. In the texts, marks of pronunciation, pauses and
    noises are removed, and what was split off at an apostrophe (it 's) is joined.

    Args:
        unknown: what becomes of `<unk>`, a word that the aligner did not know: remove
            it from the text, keep it, or leave_out the utterance.
        padding: s by which training stretches, which are cut tightly, begin earlier
            and end later; never beyond the talk or into the next stretch. Kaldi takes
            0.15 and 0.1.
        distribution: "legacy" or "speaker_adaptation".
        utterances, hours, words: of the legacy splits; of the others nothing was
            published that could be checked.
        others: as for ArchivedCorpus.

    Raises:
        InputError: as for ArchivedCorpus, or an unknown choice or impossible padding.
    """

    patterns = (
        *("legacy/*/stm/*.stm", "legacy/*/sph/*.sph"),
        *("data/stm/*.stm", "data/sph/*.sph", "speaker-adaptation/*.lst"),
    )

    def __init__(
        self,
        name: str,
        root: str | Path,
        archive: str | None,
        archives: Sequence[Mapping[str, Any]],
        unknown: str,
        padding: Sequence[float],
        distribution: str = "legacy",
        utterances: Mapping[str, int | None] | None = None,
        hours: Mapping[str, float | None] | None = None,
        words: Mapping[str, int | None] | None = None,
    ) -> None:
        check_choice("distribution", distribution, get_args(Distribution))
        self.is_legacy = distribution == "legacy"
        if not self.is_legacy:
            utterances = hours = words = None
        super().__init__(name, root, archive, archives, utterances, hours, words)
        check_choice("unknown", unknown, _UNKNOWN_CHOICES)
        if len(padding) != 2:
            raise InputError(
                f"corpus.padding is {list(padding)}, expected s before and s after, "
                "such as [0.15,0.1]"
            )
        for each in padding:
            check("corpus.padding", each, _PADDING)
        self.unknown = unknown
        self.before, self.after = padding

    @property
    def variant(self) -> str:
        """The name, and the distribution unless it is the legacy one."""
        return self.name if self.is_legacy else f"{self.name}-adaptation"

    @property
    def prepare_command(self) -> str:
        """What a message tells people to run."""
        usual = super().prepare_command
        return usual if self.is_legacy else f"{usual} corpus.distribution={_OTHER}"

    def _settings(self) -> Mapping[str, Any]:
        return {"unknown": self.unknown, "padding": [self.before, self.after]}

    def manifest_path(self, split: str) -> Path:
        """Where a split is described; each distribution has its own."""
        path = super().manifest_path(split)
        return path if self.is_legacy else path.with_name(f"{split}-adaptation.jsonl")

    def _read_files(self) -> dict[str, list[Utterance]]:
        return self._read_release()[0]

    def _read_release(self) -> tuple[dict[str, list[Utterance]], list[LeftOut]]:
        left_out: list[LeftOut] = []
        splits = {split: self._read_split(split, left_out) for split in self.splits}
        return splits, left_out

    def _read_split(self, split: str, left_out: list[LeftOut]) -> list[Utterance]:
        folder, transcripts = self._find_talks(split)
        by_talk: dict[str, list[Stretch]] = defaultdict(list)
        for path in transcripts:
            for stretch in read_stm(path):
                by_talk[stretch.talk].append(stretch)
        if not by_talk:
            raise InputError(
                f"{folder / 'stm'}: no line of an .stm file, expected the talks of "
                f"{split}; take the original archive"
            )
        paths = {talk: folder / "sph" / f"{talk}.sph" for talk in sorted(by_talk)}
        infos = inspect_files(list(paths.values()), f"{self.name} {split}")
        utterances, num_shortened = [], 0
        for (talk, path), info in zip(paths.items(), infos, strict=True):
            stretches = sorted(by_talk[talk], key=lambda each: each.start)
            bounds = self._bounds(stretches, info, is_padded=split == "train")
            for stretch, (first, stop) in zip(stretches, bounds, strict=True):
                text = clean_text(stretch.text)
                reason = self._why_not(stretch.text, text)
                if reason is not None:
                    span = f"{stretch.talk} {stretch.start}-{stretch.end} s"
                    left_out.append(LeftOut(split, span, reason))
                    continue
                if self.unknown == "remove":
                    num_shortened += _UNKNOWN in text.split()
                    text = _without_unknown(text)
                utterances.append(_describe(stretch, path, text, first, stop, info))
        if num_shortened:
            _log.warning(
                "%s %s: %d utterances have lost a %s; see corpus.unknown",
                self.name,
                split,
                num_shortened,
                _UNKNOWN,
            )
        return utterances

    def _find_talks(self, split: str) -> tuple[Path, list[Path]]:
        """The folder of a split's stm/ and sph/, and its transcripts there."""
        home = self.files / ("legacy" if self.is_legacy else "speaker-adaptation")
        # Some have made folders of the lists, as those of the legacy distribution.
        if self.is_legacy or (home / split / "stm").is_dir():
            return home / split, sorted((home / split / "stm").glob("*.stm"))
        folder, listed = self.files / "data", home / f"{split}.lst"
        names = [line.strip() for line in read_lines(listed, "names of talks")]
        talks = sorted({name.removesuffix(".sph") for name in names if name})
        for talk in talks:
            if Path(talk).name != talk:
                raise InputError(
                    f"{listed}: '{talk}' is no name of a talk, expected one such as "
                    "AlGore_2006; take the original archive"
                )
        return folder, [folder / "stm" / f"{talk}.stm" for talk in talks]

    def _bounds(
        self, stretches: Sequence[Stretch], info: AudioInfo, is_padded: bool
    ) -> list[tuple[int, int]]:
        """First sample of each stretch, and the first one behind it."""
        rate = info.sample_rate
        exact = [(round(s.start * rate), round(s.end * rate)) for s in stretches]
        if not is_padded:
            return exact
        before, after = round(self.before * rate), round(self.after * rate)
        padded = []
        for place, (first, stop) in enumerate(exact):
            earliest = exact[place - 1][1] if place else 0
            latest = exact[place + 1][0] if place + 1 < len(exact) else info.num_samples
            # Of stretches that overlap as they are, nothing is cut off.
            padded.append(
                (
                    min(first, max(first - before, earliest)),
                    max(stop, min(stop + after, latest)),
                )
            )
        return padded

    def _why_not(self, written: str, text: str) -> str | None:
        """Why a stretch is left out; None: it is not."""
        if IGNORED in written.lower():
            return "nobody transcribed it"
        if self.unknown == "leave_out" and _UNKNOWN in text.split():
            return f"it has a {_UNKNOWN}"
        words = _without_unknown(text) if self.unknown == "remove" else text
        return None if words else "it has no word"


def _without_unknown(text: str) -> str:
    return " ".join(word for word in text.split() if word != _UNKNOWN)


def clean_text(text: str) -> str:
    """Remove what is no word, and join to its word what was split off it.

    Examples:
        >>> clean_text("the(2) talk <sil> it 's {NOISE} you 're (Name_2009P-3)")
        "the talk it's you're"
    """
    text = re.sub(r"\([^()\s]+-[^()\s]+\)\s*$", "", text)  # the utterance's name
    text = re.sub(r"\(\d+\)", "", text)  # which pronunciation it was
    text = re.sub(r"<sil>|\{[^{}]*\}|\[[^\[\]]*\]", " ", text)
    return " ".join(_SUFFIX.sub("", f"{text} ").split())


def _describe(
    stretch: Stretch, path: Path, text: str, first: int, stop: int, info: AudioInfo
) -> Utterance:
    stop = min(stop, info.num_samples)
    if stop <= first:
        raise InputError(
            f"{path}: {info.duration:.2f} s, but a stretch of it lies from "
            f"{stretch.start} to {stretch.end} s; take the original archive"
        )
    # In hundredths of a second, as the file has them; unique within a talk.
    span = f"{round(stretch.start * 100):07d}-{round(stretch.end * 100):07d}"
    return Utterance(
        id=f"{stretch.talk}-{span}",
        audio_path=path,
        duration=(stop - first) / info.sample_rate,
        text=text,
        speaker=stretch.speaker,
        offset=first / info.sample_rate,
        partial=True,
    )
