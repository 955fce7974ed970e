"""Examine a corpus before any training time is spent on it.

Every file is decoded, every transcript encoded, and every utterance held
against what CTC needs; splits are compared with each other.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from speechgru.audio import resampled_length, wrong_sample_rate
from speechgru.data.segments import SegmentReader
from speechgru.data.validation.cache import ExaminedAudio
from speechgru.data.validation.diagnosis import (
    Diagnosis,
    Found,
    Problem,
    SplitSummary,
    summarise,
)
from speechgru.data.validation.lengths import Alignment, check_duration
from speechgru.data.validation.listening import Heard, listen_to_all
from speechgru.data.validation.notes import write_notes
from speechgru.data.validation.sharing import SharedAudio, repeated_id, repeated_ids
from speechgru.data.validation.transcripts import check_text
from speechgru.interfaces import FilePart, Tokenizer, Utterance
from speechgru.progress import track
from speechgru.text.changes import Changes


def examine(
    splits: Mapping[str, Sequence[Utterance]],
    tokenizer: Tokenizer | None,
    sample_rate: int,
    resample: bool,
    output_lengths: Callable[[int], int] | None,
    shortest: Callable[[float, float], float] | None,
    cache: Path | None = None,
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

    Returns:
        All problems; no input of the user's raises.
    """
    examiner = _Examiner(tokenizer, sample_rate, resample, output_lengths, shortest)
    known, reader = ExaminedAudio(cache), SegmentReader()
    problems: list[tuple[int, Problem]] = []
    summaries: dict[str, SplitSummary] = {}
    # train first, whatever the order: it is the other split's copy that leaks.
    for split in sorted(splits, key=lambda name: name != "train"):
        repeated = repeated_ids(splits[split])
        total = len(splits[split])
        examined = _listen(splits[split], known, reader)
        for index, utterance, heard in track(
            examined, f"doctor: {split}", "utterances", total
        ):
            if index in repeated:
                problems.append((index, repeated_id(split, utterance)))
            problems += [
                (index, Problem(split, utterance.id, kind, message))
                for kind, message in examiner.examine(split, utterance, heard)
            ]
        num_tokens = None if tokenizer is None else examiner.num_tokens[split]
        summaries[split] = summarise(splits[split], num_tokens)
    known.write()
    order = {split: position for position, split in enumerate(splits)}
    problems.sort(key=lambda item: (order[item[1].split], item[0]))
    return Diagnosis(
        splits,
        problems,
        [
            *write_notes(
                splits,
                examiner.num_channels,
                examiner.shared.num_repeated,
                examiner.users,
                examiner.changes,
            ),
            *examiner.alignment.notes(),
        ],
        {split: summaries[split] for split in splits},
    )


def _listen(
    utterances: Sequence[Utterance], known: ExaminedAudio, reader: SegmentReader
) -> Iterator[tuple[int, Utterance, Heard | Found]]:
    """What the audio of each utterance is, remembered or decoded."""
    unknown: list[tuple[int, Utterance]] = []
    for index, utterance in _by_file(utterances):
        heard = known.find(utterance)
        if heard is None:
            unknown.append((index, utterance))
        else:
            yield index, utterance, heard
    for index, utterance, result in listen_to_all(unknown, reader):
        if isinstance(result, Heard):
            known.keep(utterance, result)
        yield index, utterance, result


def _by_file(utterances: Sequence[Utterance]) -> list[tuple[int, Utterance]]:
    """Those of one file together, so that it is decoded once; and their indices."""
    files: dict[Path | FilePart, list[tuple[int, Utterance]]] = {}
    for index, utterance in enumerate(utterances):
        files.setdefault(utterance.audio, []).append((index, utterance))
    return [each for some in files.values() for each in some]


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
        self.num_tokens: Counter[str] = Counter()  # by split
        self.num_channels: Counter[int] = Counter()
        self.users: dict[str, set[str]] = {}  # of a character: ids in train
        self.changes = None if tokenizer is None else Changes(tokenizer.normalize)
        self.shared = SharedAudio()
        self.alignment = Alignment(sample_rate, output_lengths, shortest)

    def examine(
        self, split: str, utterance: Utterance, heard: Heard | Found
    ) -> list[Found]:
        """The kind and message of every problem."""
        token_ids, found = check_text(utterance, self.tokenizer)
        if self.changes is not None:
            self.changes.add(utterance.id, utterance.text)
        self.num_tokens[split] += len(token_ids)
        if split == "train":
            for token_id in set(token_ids):
                character = self.tokenizer.tokens[token_id]
                self.users.setdefault(character, set()).add(utterance.id)
        if not isinstance(heard, Heard):
            return [*found, heard]
        self.num_channels[heard.num_channels] += 1
        if not heard.digest:
            return [
                *found,
                (
                    "all-zeros",
                    f"{utterance.audio_path}: all {heard.num_samples} samples are "
                    "zero, expected speech; record it again or drop the utterance",
                ),
            ]
        rate = heard.sample_rate
        found += check_duration(utterance, heard.num_samples / rate)
        found += self.shared.check(split, utterance, heard.digest)
        if rate != self.sample_rate and not self.resample:
            wrong = wrong_sample_rate(utterance.audio, rate, self.sample_rate)
            return [*found, (wrong.kind, str(wrong))]
        num_samples = resampled_length(heard.num_samples, rate, self.sample_rate)
        return found + self.alignment.check(
            utterance, token_ids, num_samples, augmented=split == "train"
        )
