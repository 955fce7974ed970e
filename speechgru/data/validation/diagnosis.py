"""What a corpus suffers from, and how that reads."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from speechgru.files import printable
from speechgru.interfaces import Utterance

_NUM_LISTED = 10  # problems of one kind in the report

Found = tuple[str, str]
"""Kind and message of a problem of one utterance; see `Problem`."""


@dataclass(frozen=True)
class Problem:
    """What makes one utterance unusable.

    Attributes:
        split: where it is.
        id: which utterance.
        kind: missing, empty-file, undecodable, truncated, damaged,
            no-samples, nan-samples, out-of-range, cancelling-channels, outside-file,
            all-zeros, sample-rate, duration, empty-transcript, unknown-token,
            too-short, duplicate-id or leaked.
        message: item, found, expected, remedy.
    """

    split: str
    id: str
    kind: str
    message: str


@dataclass(frozen=True)
class SplitSummary:
    """The size of a split, whether healthy or not.

    Attributes:
        utterances: how many.
        hours: h, as the manifest has it.
        speakers: how many different ones are named.
        durations: shortest, median, longest, in s.
        tokens_per_second: over the split; None without a tokenizer.
    """

    utterances: int
    hours: float
    speakers: int
    durations: tuple[float, float, float]
    tokens_per_second: float | None


class Diagnosis:
    """What `examine` found.

    Attributes:
        problems: in the order of splits and utterances.
        placed: the same, each behind the index of its utterance in its split.
        notes: remarks that need no action.
        summaries: size of each split.
    """

    def __init__(
        self,
        splits: Mapping[str, Sequence[Utterance]],
        problems: Sequence[tuple[int, Problem]],
        notes: Sequence[str],
        summaries: Mapping[str, SplitSummary],
    ) -> None:
        self.placed = list(problems)
        self.problems = [problem for _, problem in problems]
        self.notes = list(notes)
        self.summaries = dict(summaries)
        self._splits = {split: list(utterances) for split, utterances in splits.items()}
        # Positions, not ids: of two utterances with one id the first is healthy.
        self._unhealthy = {(problem.split, index) for index, problem in problems}

    def healthy(self, split: str) -> list[Utterance]:
        """The utterances of a split without a problem, in order."""
        return [
            utterance
            for index, utterance in enumerate(self._splits[split])
            if (split, index) not in self._unhealthy
        ]

    def report(self) -> str:
        """Readable lines: sizes, notes, then problems by kind."""
        lines = [_describe(split, summary) for split, summary in self.summaries.items()]
        lines += [f"note: {note}" for note in self.notes]
        for kind, count in Counter(p.kind for p in self.problems).most_common():
            lines.append(f"{kind}: {count}")
            same = [p for p in self.problems if p.kind == kind]
            lines += [
                printable(
                    f"  {p.split}: "
                    f"{'' if p.id in p.message else p.id + ': '}{p.message}"
                )
                for p in same[:_NUM_LISTED]
            ]
            if count > _NUM_LISTED:
                lines.append(f"  ... and {count - _NUM_LISTED} more")
        bad, total = len(self._unhealthy), sum(map(len, self._splits.values()))
        lines.append(
            f"{bad} of {total} utterances have problems"
            if bad
            else f"healthy: no problems in {total} utterances"
        )
        return "\n".join(lines)


def summarise(utterances: Sequence[Utterance], num_tokens: int | None) -> SplitSummary:
    """Count what is in a split."""
    durations = [u.duration for u in utterances] or [0.0]
    seconds = sum(durations)
    return SplitSummary(
        utterances=len(utterances),
        hours=seconds / 3600,
        speakers=len({u.speaker for u in utterances if u.speaker is not None}),
        durations=(min(durations), statistics.median(durations), max(durations)),
        tokens_per_second=(
            num_tokens / seconds if num_tokens is not None and seconds else None
        ),
    )


def _describe(split: str, summary: SplitSummary) -> str:
    shortest, median, longest = summary.durations
    line = (
        f"{split}: {summary.utterances} utterances, {summary.hours:.3f} h, "
        f"{summary.speakers} speakers, {shortest:.2f} / {median:.2f} / "
        f"{longest:.2f} s (shortest / median / longest)"
    )
    if summary.tokens_per_second is not None:
        line += f", {summary.tokens_per_second:.1f} tokens/s"
    return line
