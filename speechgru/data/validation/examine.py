"""Examine a corpus before any training time is spent on it.

Every file is decoded, every transcript encoded, and every utterance held
against what CTC needs; splits are compared with each other.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from speechgru.audio import (
    AudioError,
    duration_tolerance,
    inspect_audio,
    resampled_length,
    wrong_sample_rate,
)
from speechgru.data.validation.diagnosis import Diagnosis, Problem, SplitSummary, summarise
from speechgru.data.overlap import Intervals
from speechgru.data.segments import SegmentReader
from speechgru.interfaces import InputError, Tokenizer, Utterance
from speechgru.progress import track
from speechgru.text.changes import Changes


def examine(
    splits: Mapping[str, Sequence[Utterance]],
    tokenizer: Tokenizer | None,
    sample_rate: int,
    resample: bool,
    output_lengths: Callable[[int], int] | None,
    shortest: Callable[[float], float] | None,
) -> Diagnosis:
    """Examine every utterance of every split.

    Args:
        splits: utterances by split name; "train" is the one that no other
            may share audio with.
        tokenizer: None skips what needs tokens.
        sample_rate: the model's, Hz.
        resample: whether other rates are converted, not a problem.
        output_lengths: samples at `sample_rate` to the model's output
            frames; None skips the CTC check.
        shortest: the shortest duration, in s, that the training augmentation
            makes of a duration; None when it changes none.

    Returns:
        All problems; no input of the user's raises.
    """
    examiner = _Examiner(tokenizer, sample_rate, resample, output_lengths, shortest)
    problems: list[tuple[int, Problem]] = []
    summaries: dict[str, SplitSummary] = {}
    # train first, whatever the order: it is the other split's copy that leaks.
    for split in sorted(splits, key=lambda name: name != "train"):
        repeated = _repeated_ids(splits[split])
        examined = track(_by_file(splits[split]), f"doctor: {split}", "utterances")
        for index, utterance in examined:
            if index in repeated:
                problems.append((index, _repeated_id(split, utterance)))
            problems += [
                (index, Problem(split, utterance.id, kind, message))
                for kind, message in examiner.examine(split, utterance)
            ]
        num_tokens = None if tokenizer is None else examiner.num_tokens[split]
        summaries[split] = summarise(splits[split], num_tokens)
    order = {split: position for position, split in enumerate(splits)}
    problems.sort(key=lambda item: (order[item[1].split], item[0]))
    return Diagnosis(
        splits,
        problems,
        _note(splits, examiner),
        {split: summaries[split] for split in splits},
    )


def _repeated_ids(utterances: Sequence[Utterance]) -> set[int]:
    """Indices of those whose id an earlier one has."""
    first = {}
    for index, utterance in enumerate(utterances):
        first.setdefault(utterance.id, index)
    return set(range(len(utterances))) - set(first.values())


def _repeated_id(split: str, utterance: Utterance) -> Problem:
    return Problem(
        split,
        utterance.id,
        "duplicate-id",
        f"{utterance.id}: id occurs twice in {split}, expected unique ids; rename or "
        "drop one",
    )


def _by_file(utterances: Sequence[Utterance]) -> list[tuple[int, Utterance]]:
    """Those of one file together, so that it is decoded once; and their indices."""
    files: dict[Path, list[tuple[int, Utterance]]] = {}
    for index, utterance in enumerate(utterances):
        files.setdefault(utterance.audio_path, []).append((index, utterance))
    return [each for some in files.values() for each in some]


_ENOUGH = 20  # utterances of train, from which on a rare character is worth a note


class _Examiner:
    """Examines one utterance after another, and remembers what must differ."""

    def __init__(
        self,
        tokenizer: Tokenizer | None,
        sample_rate: int,
        resample: bool,
        output_lengths: Callable[[int], int] | None,
        shortest: Callable[[float], float] | None,
    ) -> None:
        self.tokenizer = tokenizer
        self.sample_rate = sample_rate
        self.resample = resample
        self.output_lengths = output_lengths
        self.shortest = shortest
        self.num_tokens: Counter[str] = Counter()  # by split
        self.num_channels: Counter[int] = Counter()
        self.num_repeated: Counter[str] = Counter()  # by split
        self.users: dict[str, set[str]] = {}  # of a character: ids in train
        self.changes = None if tokenizer is None else Changes(tokenizer.normalize)
        self._reader = SegmentReader()
        self._digests: dict[bytes, tuple[str, str]] = {}
        self._intervals = Intervals()

    def examine(self, split: str, utterance: Utterance) -> list[tuple[str, str]]:
        """The kind and message of every problem."""
        token_ids, found = self._check_text(utterance)
        if self.changes is not None:
            self.changes.add(utterance.id, utterance.text)
        self.num_tokens[split] += len(token_ids)
        if split == "train":
            for token_id in set(token_ids):
                character = self.tokenizer.tokens[token_id]
                self.users.setdefault(character, set()).add(utterance.id)
        try:
            num_channels = inspect_audio(utterance.audio_path).num_channels
            waveform, rate = self._reader.read(utterance)
        except AudioError as error:
            return [*found, (error.kind, str(error))]
        self.num_channels[num_channels] += 1
        if not waveform.any():
            return [
                *found,
                (
                    "all-zeros",
                    f"{utterance.audio_path}: all {len(waveform)} samples are zero, "
                    "expected speech; record it again or drop the utterance",
                ),
            ]
        found += self._check_duration(utterance, len(waveform) / rate)
        digest = hashlib.blake2b(waveform.numpy().tobytes(), digest_size=16).digest()
        found += self._check_shared(split, utterance, digest)
        if rate != self.sample_rate and not self.resample:
            error = wrong_sample_rate(utterance.audio_path, rate, self.sample_rate)
            return [*found, (error.kind, str(error))]
        num_samples = resampled_length(len(waveform), rate, self.sample_rate)
        return found + self._check_alignment(split, utterance, token_ids, num_samples)

    def _check_text(
        self, utterance: Utterance
    ) -> tuple[Sequence[int], list[tuple[str, str]]]:
        token_ids: Sequence[int] = ()
        text = utterance.text
        found = f"'{text}'" if text.strip() else f"{len(text)} spaces"
        if text.strip():
            if self.tokenizer is None:
                return (), []
            try:
                token_ids = self.tokenizer.encode(text)
            except InputError as error:
                return (), [("unknown-token", f"{utterance.id}: {error}")]
            if self.tokenizer.decode(token_ids).strip():
                return token_ids, []
            found = f"'{text}', of which normalisation leaves nothing"
        elif not text:
            found = "empty"
        return (), [
            (
                "empty-transcript",
                f"{utterance.id}: transcript is {found}, expected words; "
                "write it or drop the utterance",
            )
        ]

    def _check_duration(
        self, utterance: Utterance, found: float
    ) -> list[tuple[str, str]]:
        expected = utterance.duration
        if abs(found - expected) <= duration_tolerance(expected):
            return []
        return [
            (
                "duration",
                f"{utterance.audio_path}: the audio lasts {found:.3f} s, expected "
                f"{expected:.3f} s as in the manifest; correct the manifest or the "
                "file",
            )
        ]

    def _check_shared(
        self, split: str, utterance: Utterance, digest: bytes
    ) -> list[tuple[str, str]]:
        """Audio that an earlier split has, whole or in part."""
        start = utterance.offset
        end = start + utterance.duration if utterance.partial else math.inf
        path = utterance.audio_path.resolve()
        shared = self._intervals.find_other(path, split, start, end)
        self._intervals.add(path, split, start, end, utterance.id)
        same = self._digests.setdefault(digest, (split, utterance.id))
        if same[0] != split:
            shared = same
        elif same[1] != utterance.id:
            self.num_repeated[split] += 1
        if shared is None:
            return []
        other_split, id = shared
        return [
            (
                "leaked",
                f"{utterance.id}: {split} audio that is also in {other_split} (as "
                f"{id}), expected audio of its own; drop one of the two",
            )
        ]

    def _check_alignment(
        self,
        split: str,
        utterance: Utterance,
        token_ids: Sequence[int],
        num_samples: int,
    ) -> list[tuple[str, str]]:
        """CTC needs a frame per token, and a blank between equal neighbours."""
        if not token_ids or self.output_lengths is None:
            return []
        speed = ""
        if split == "train" and self.shortest is not None:
            duration = num_samples / self.sample_rate
            shortened = self.shortest(duration)
            if shortened < duration:
                num_samples = math.floor(shortened * self.sample_rate)
                speed = ", at the highest speed of the augmentation"
        try:
            num_frames = max(0, int(self.output_lengths(num_samples)))
        except ValueError:  # shorter than one window
            num_frames = 0
        repeats = sum(left == right for left, right in pairwise(token_ids))
        if num_frames >= len(token_ids) + repeats:
            return []
        needed = f" ({repeats} more for repeated tokens)" if repeats else ""
        return [
            (
                "too-short",
                f"{utterance.id}: {len(token_ids)} targets cannot align with "
                f"{num_frames} output frames{needed}{speed}; lower the subsampling or "
                "drop the utterance",
            )
        ]


def _note(splits: Mapping[str, Sequence[Utterance]], examiner: _Examiner) -> list[str]:
    notes = [
        f"{count} files have {channels} channels; they are averaged to mono"
        for channels, count in sorted(examiner.num_channels.items())
        if channels > 1
    ]
    notes += [
        f"{count} utterances of {split} repeat the audio of another"
        for split, count in examiner.num_repeated.items()
    ]
    if examiner.changes is not None:
        notes += examiner.changes.notes()
    rare = {c: ids for c, ids in examiner.users.items() if len(ids) == 1}
    if rare and len(splits.get("train", ())) >= _ENOUGH:
        some = ", ".join(f"{c!r} ({min(rare[c])})" for c in sorted(rare)[:10])
        notes.append(
            f"{len(rare)} of the tokens occur in a single utterance of train, too few "
            f"to be learnt: {some}"
        )
    speakers = {
        split: {u.speaker for u in utterances if u.speaker is not None}
        for split, utterances in splits.items()
    }
    names = list(splits)
    for position, split in enumerate(names):
        for other in names[position + 1 :]:
            shared = sorted(speakers[split] & speakers[other])
            if shared:
                some = ", ".join(shared[:5]) + (", ..." if len(shared) > 5 else "")
                notes.append(
                    f"{split} and {other} share speakers, {len(shared)} in all: {some}"
                )
    return notes
