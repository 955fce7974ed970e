"""Examine a corpus before any training time is spent on it.

Every file is decoded, every transcript encoded, and every utterance held
against what CTC needs; splits are compared with each other.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from speechgru.audio import (
    AudioError,
    inspect_audio,
    resampled_length,
    wrong_sample_rate,
)
from speechgru.data.segments import SegmentReader
from speechgru.data.validation.diagnosis import (
    Diagnosis,
    Found,
    Problem,
    SplitSummary,
    summarise,
)
from speechgru.data.validation.lengths import Alignment, check_duration
from speechgru.data.validation.notes import write_notes
from speechgru.data.validation.sharing import SharedAudio, repeated_id, repeated_ids
from speechgru.data.validation.transcripts import check_text
from speechgru.interfaces import Tokenizer, Utterance
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
        repeated = repeated_ids(splits[split])
        examined = track(_by_file(splits[split]), f"doctor: {split}", "utterances")
        for index, utterance in examined:
            if index in repeated:
                problems.append((index, repeated_id(split, utterance)))
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
        write_notes(
            splits,
            examiner.num_channels,
            examiner.shared.num_repeated,
            examiner.users,
            examiner.changes,
        ),
        {split: summaries[split] for split in splits},
    )


def _by_file(utterances: Sequence[Utterance]) -> list[tuple[int, Utterance]]:
    """Those of one file together, so that it is decoded once; and their indices."""
    files: dict[Path, list[tuple[int, Utterance]]] = {}
    for index, utterance in enumerate(utterances):
        files.setdefault(utterance.audio_path, []).append((index, utterance))
    return [each for some in files.values() for each in some]


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
        self.num_tokens: Counter[str] = Counter()  # by split
        self.num_channels: Counter[int] = Counter()
        self.users: dict[str, set[str]] = {}  # of a character: ids in train
        self.changes = None if tokenizer is None else Changes(tokenizer.normalize)
        self._reader = SegmentReader()
        self.shared = SharedAudio()
        self._alignment = Alignment(sample_rate, output_lengths, shortest)

    def examine(self, split: str, utterance: Utterance) -> list[Found]:
        """The kind and message of every problem."""
        token_ids, found = check_text(utterance, self.tokenizer)
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
        found += check_duration(utterance, len(waveform) / rate)
        found += self.shared.check(split, utterance, waveform)
        if rate != self.sample_rate and not self.resample:
            wrong = wrong_sample_rate(utterance.audio_path, rate, self.sample_rate)
            return [*found, (wrong.kind, str(wrong))]
        num_samples = resampled_length(len(waveform), rate, self.sample_rate)
        return found + self._alignment.check(
            utterance, token_ids, num_samples, augmented=split == "train"
        )
