"""What a corpus suffers from, and how that reads."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from speechgru.data.utterances import select
from speechgru.data.validation.histograms import Histogram
from speechgru.data.validation.problem import Problem
from speechgru.data.validation.remark import Remark
from speechgru.data.validation.summary import SplitSummary, make_summary_table
from speechgru.files import printable
from speechgru.interfaces import Utterance

_NUM_LISTED = 10  # problems of one kind in the report


@dataclass(frozen=True)
class Measured:
    """What was found out of a corpus besides what is wrong with it.

    Attributes:
        summaries: size of each split.
        histograms: of what was measured.
        characters: how often each occurs in the normalised transcripts, by split.
        estimates: lines on what an epoch takes.
    """

    summaries: Mapping[str, SplitSummary] = field(default_factory=dict)
    histograms: Sequence[Histogram] = ()
    characters: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    estimates: Sequence[str] = ()


class Diagnosis:
    """What `examine` found.

    Attributes:
        splits: what was examined.
        problems: in the order of splits and utterances.
        placed: the same, each behind the index of its utterance in its split.
        remarks: that need no action.
        notes: the same, as lines.
        measured: whatever else was found out.
    """

    def __init__(
        self,
        splits: Mapping[str, Sequence[Utterance]],
        problems: Sequence[tuple[int, Problem]],
        remarks: Sequence[Remark],
        measured: Measured,
    ) -> None:
        self.splits = dict(splits)
        self.placed = list(problems)
        self.problems = [problem for _, problem in problems]
        self.remarks = list(remarks)
        self.notes = [remark.message for remark in remarks]
        self.measured = measured
        # Positions, not ids: of two utterances with one id the first is healthy.
        self._unhealthy = {(problem.split, index) for index, problem in problems}

    @property
    def num_utterances(self) -> int:
        """Of all splits."""
        return sum(map(len, self.splits.values()))

    @property
    def num_unhealthy(self) -> int:
        """Utterances with a problem."""
        return len(self._unhealthy)

    def healthy(self, split: str) -> Sequence[Utterance]:
        """The utterances of a split without a problem, in order."""
        utterances = self.splits[split]
        bad = [index for owner, index in self._unhealthy if owner == split]
        if not bad:
            return utterances
        return select(utterances, np.setdiff1d(np.arange(len(utterances)), bad))

    def report(self) -> str:
        """Readable lines: sizes, estimates, notes, then problems by kind."""
        lines = make_summary_table(self.measured.summaries)
        lines += self.measured.estimates
        lines += [f"note: {note}" for note in self.notes]
        for kind, count in Counter(p.kind for p in self.problems).most_common():
            lines.append(f"{kind}: {count}")
            same = [p for p in self.problems if p.kind == kind]
            lines += [f"  {describe(p)}" for p in same[:_NUM_LISTED]]
            if count > _NUM_LISTED:
                lines.append(f"  ... and {count - _NUM_LISTED} more")
        lines.append(self.verdict())
        return "\n".join(lines)

    def verdict(self) -> str:
        """Whether all is well, in a line."""
        if self._unhealthy:
            return (
                f"{self.num_unhealthy} of {self.num_utterances} utterances have "
                "problems"
            )
        return f"healthy: no problems in {self.num_utterances} utterances"


def describe(problem: Problem) -> str:
    """A problem in a line: where, and what."""
    id = "" if problem.id in problem.message else f"{problem.id}: "
    return printable(f"{problem.split}: {id}{problem.message}")
