"""Examine a corpus before any training time is spent on it.

Every file is decoded, every transcript encoded, and every utterance held
against what CTC needs; splits are compared with each other.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from speechgru.audio import resampled_length, wrong_sample_rate
from speechgru.data.feasibility import frames_needed
from speechgru.data.segments import SegmentReader
from speechgru.data.validation.cache import ExaminedAudio
from speechgru.data.validation.diagnosis import Diagnosis, Measured
from speechgru.data.validation.estimate import estimate_epoch
from speechgru.data.validation.heard import Heard
from speechgru.data.validation.histograms import make_histograms
from speechgru.data.validation.lengths import Alignment, check_duration
from speechgru.data.validation.limits import DEFAULT_LIMITS, Limits
from speechgru.data.validation.listening import listen_to_all
from speechgru.data.validation.notes import TokenUse, write_notes
from speechgru.data.validation.problem import Found, Problem
from speechgru.data.validation.remark import Remark
from speechgru.data.validation.remarks import remark_on_utterances
from speechgru.data.validation.scripts import Scripts
from speechgru.data.validation.sharing import (
    find_leaks,
    find_repeated_ids,
    find_shared_texts,
    resolve_audio,
)
from speechgru.data.validation.summary import SplitSummary, summarise
from speechgru.data.validation.table import Table
from speechgru.data.validation.transcripts import check_text
from speechgru.interfaces import Tokenizer, Utterance
from speechgru.progress import track
from speechgru.text.changes import Changes

BATCH_SECONDS = 60.0
"""As data.batch_seconds of training, by default."""


def examine(
    splits: Mapping[str, Sequence[Utterance]],
    tokenizer: Tokenizer | None,
    sample_rate: int,
    resample: bool,
    output_lengths: Callable[[int], int] | None,
    shortest: Callable[[float, float], float] | None,
    cache: Path | None = None,
    limits: Limits = DEFAULT_LIMITS,
    batch_seconds: float = BATCH_SECONDS,
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
            makes of a duration of which the words need a duration; None when it
            changes none.
        cache: file that remembers what files held, which are then not decoded again
            while their size and time stay the same; None: all are decoded.
        limits: from where on utterances are remarked on.
        batch_seconds: s of padded audio in a step of training, for the estimates.

    Returns:
        All problems; no input of the user's raises.
    """
    examiner = _Examiner(tokenizer, sample_rate, resample, output_lengths, shortest)
    known = ExaminedAudio(cache)
    problems: list[tuple[int, Problem]] = []
    # train first, whatever the order: it is the other split's copy that leaks.
    names = sorted(splits, key=lambda name: name != "train")
    try:
        for split in names:
            problems += examiner.examine_split(split, splits[split], known)
    finally:
        known.close()
    tables = {split: examiner.tables[split] for split in names}
    leaks, remarks = find_leaks({split: splits[split] for split in names}, tables)
    order = {split: position for position, split in enumerate(splits)}
    problems += leaks
    problems.sort(key=lambda item: (order[item[1].split], item[0]))
    tables = {split: tables[split] for split in splits}
    remarks += examiner.remark(splits, limits)
    estimates = []
    if "train" in splits:
        estimates = estimate_epoch("train", tables["train"], sample_rate, batch_seconds)
    measured = Measured(
        summaries={split: examiner.summaries[split] for split in splits},
        histograms=make_histograms(tables, examiner.frames_per_second()),
        characters={split: examiner.characters[split] for split in splits},
        estimates=estimates,
    )
    return Diagnosis(splits, problems, remarks, measured)


class _Examiner:
    """Examines one utterance after another, and remembers what must differ."""

    def __init__(
        self,
        tokenizer: Tokenizer | None,
        sample_rate: int,
        resample: bool,
        output_lengths: Callable[[int], int] | None,
        shortest: Callable[[float, float], float] | None,
    ) -> None:
        self.tokenizer = tokenizer
        self.sample_rate = sample_rate
        self.resample = resample
        self.output_lengths = output_lengths
        self.num_channels: Counter[int] = Counter()
        self.changes = None if tokenizer is None else Changes(tokenizer.normalize)
        # By split:
        self.tables: dict[str, Table] = {}
        self.summaries: dict[str, SplitSummary] = {}
        self.speakers: dict[str, set[str]] = {}
        self.characters: dict[str, Counter[str]] = {}
        self._scripts = Scripts()
        self._uses = TokenUse()
        self._reader = SegmentReader()
        self.alignment = Alignment(sample_rate, output_lengths, shortest)

    def examine_split(
        self, split: str, utterances: Sequence[Utterance], known: ExaminedAudio
    ) -> Iterator[tuple[int, Problem]]:
        """Examine the utterances of a split, and yield every problem."""
        table = self.tables[split] = Table.of(utterances)
        speakers = self.speakers[split] = set()
        self.characters[split] = Counter()
        num_tokens = 0
        yield from find_repeated_ids(split, utterances, table)
        total = len(utterances)
        placed = ((index, utterances[index]) for index in table.by_audio().tolist())
        examined = listen_to_all(placed, total, known, self._reader)
        for index, utterance, heard in track(
            examined, f"doctor: {split}", "utterances", total
        ):
            if utterance.speaker is not None:
                speakers.add(utterance.speaker)
            token_ids, found = self._read(split, index, utterance)
            num_tokens += len(token_ids)
            found += self._hear(split, index, utterance, heard, token_ids)
            for kind, message in found:
                yield index, Problem(split, utterance.id, kind, message)
        self.summaries[split] = summarise(
            table, len(speakers), None if self.tokenizer is None else num_tokens
        )

    def remark(
        self, splits: Mapping[str, Sequence[Utterance]], limits: Limits
    ) -> Iterator[Remark]:
        """Remark on what has been examined."""
        yield from write_notes(
            splits,
            self.num_channels,
            {split: self.summaries[split].rates for split in splits},
            self._uses,
            self.tokenizer,
            self.changes,
            self.speakers,
        )
        yield from find_shared_texts(
            splits, {split: self.tables[split] for split in splits}
        )
        for note in self.alignment.notes():
            yield Remark("speed", "train", note)
        for split, utterances in splits.items():
            table = self.tables[split]
            yield from remark_on_utterances(
                split, utterances, table, self.sample_rate, limits
            )
            yield from self._scripts.remark(
                split, utterances, table.scripts, limits.script
            )

    def frames_per_second(self) -> float | None:
        """Output frames of the model for a second of a long recording."""
        if self.output_lengths is None:
            return None
        try:
            return self.output_lengths(60 * self.sample_rate) / 60
        except ValueError:  # shorter than one window
            return None

    def _read(
        self, split: str, index: int, utterance: Utterance
    ) -> tuple[Sequence[int], list[Found]]:
        """Token ids of a transcript, and its problems."""
        table = self.tables[split]
        token_ids, spelled, found = check_text(utterance, self.tokenizer)
        if self.changes is not None:
            self.changes.add(utterance.id, utterance.text)
        if spelled:
            table.texts[index] = hash(spelled)
            table.num_characters[index] = len(spelled) - spelled.count(" ")
            table.scripts[index] = self._scripts.find(spelled)
            self.characters[split].update(spelled)
        table.num_targets[index] = frames_needed(token_ids)
        if split == "train":
            self._uses.add(utterance.id, token_ids)
        return token_ids, found

    def _hear(
        self,
        split: str,
        index: int,
        utterance: Utterance,
        heard: Heard | Found,
        token_ids: Sequence[int],
    ) -> list[Found]:
        """Problems of the audio, and of its length for the transcript."""
        if not isinstance(heard, Heard):
            return [heard]
        table = self.tables[split]
        table.heard[index] = heard
        self.num_channels[heard.num_channels] += 1
        if not heard.digest:
            return [
                (
                    "all-zeros",
                    f"{utterance.audio_path}: all {heard.num_samples} samples are "
                    "zero, expected speech; record it again or drop the utterance",
                )
            ]
        table.files[index] = hash(resolve_audio(utterance))
        rate = heard.sample_rate
        found = check_duration(utterance, heard.num_samples / rate)
        if rate != self.sample_rate and not self.resample:
            wrong = wrong_sample_rate(utterance.audio, rate, self.sample_rate)
            return [*found, (wrong.kind, str(wrong))]
        num_samples = resampled_length(heard.num_samples, rate, self.sample_rate)
        return found + self.alignment.check(
            utterance, token_ids, num_samples, augmented=split == "train"
        )
