"""Which word of a hypothesis stands for which word of the reference."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jiwer
import numpy as np

from speechgru.score.counts import ErrorCounts


class AlignedPair(NamedTuple):
    """One step of an alignment.

    Attributes:
        reference: a word; None at an insertion.
        hypothesis: a word; None at a deletion.
    """

    reference: str | None
    hypothesis: str | None

    @property
    def edit(self) -> str:
        """C (correct), S (substitution), D (deletion) or I (insertion)."""
        if self.reference is None:
            return "I"
        if self.hypothesis is None:
            return "D"
        return "C" if self.reference == self.hypothesis else "S"


Alignment = tuple[AlignedPair, ...]


def count_edits(alignment: Sequence[AlignedPair]) -> ErrorCounts:
    """Sum up an alignment."""
    edits = [pair.edit for pair in alignment]
    return ErrorCounts(*(edits.count(edit) for edit in "SDIC"))


def align_levenshtein(reference: str, hypothesis: str) -> Alignment:
    """Align with the fewest edits, each of cost 1.

    Words are what white space separates. Both texts must be normalised alike.
    """
    references, hypotheses = reference.split(), hypothesis.split()
    # jiwer separates words at the space alone.
    output = jiwer.process_words(" ".join(references), " ".join(hypotheses))
    return _pair_up(output.alignments[0], references, hypotheses)


def align_characters(reference: str, hypothesis: str) -> Alignment:
    """Align characters, those of `count_character_errors`, with the fewest edits."""
    references, hypotheses = " ".join(reference.split()), " ".join(hypothesis.split())
    output = jiwer.process_characters(references, hypotheses)
    return _pair_up(output.alignments[0], references, hypotheses)


def _pair_up(
    chunks: Sequence[jiwer.AlignmentChunk],
    references: Sequence[str],
    hypotheses: Sequence[str],
) -> Alignment:
    pairs = []
    for chunk in chunks:
        heard: list[str | None] = [*hypotheses[chunk.hyp_start_idx : chunk.hyp_end_idx]]
        said: list[str | None] = [*references[chunk.ref_start_idx : chunk.ref_end_idx]]
        pairs += [
            AlignedPair(*pair)
            for pair in zip(
                said or [None] * len(heard), heard or [None] * len(said), strict=True
            )
        ]
    return tuple(pairs)


def align_nist(reference: str, hypothesis: str) -> Alignment:
    """Align with the weights and the preferences of NIST's sclite.

    A substitution costs 4, a deletion and an insertion 3 each, so two words
    in the wrong place rather count as lost and invented than as mistaken for
    others. The number of edits can be larger than the fewest. Of equally
    cheap ways the one is taken that ends with a pair of words, else with an
    insertion; this decides how many edits are of each kind.

    Words are what white space separates, and compared as they are.

    Source:
        NIST Speech Recognition Scoring Toolkit, sclite(1), "Dynamic
        Programming".
    """
    references, hypotheses = reference.split(), hypothesis.split()
    kinds = np.empty((len(references) + 1, len(hypotheses) + 1), dtype="U1")
    kinds[1:, 0], kinds[0, 1:] = "D", "I"
    costs = [3 * column for column in range(len(hypotheses) + 1)]
    for row, said in enumerate(references, start=1):
        above, costs = costs, [3 * row]
        for column, heard in enumerate(hypotheses, start=1):
            pair = above[column - 1] + (0 if said == heard else 4)
            deletion, insertion = above[column] + 3, costs[-1] + 3
            cost = min(pair, deletion, insertion)
            costs.append(cost)
            kinds[row, column] = (
                "P" if pair == cost else "I" if insertion == cost else "D"
            )
    pairs = []
    row, column = len(references), len(hypotheses)
    while row or column:
        kind = kinds[row, column]
        row -= kind != "I"
        column -= kind != "D"
        pairs.append(
            AlignedPair(
                None if kind == "I" else references[row],
                None if kind == "D" else hypotheses[column],
            )
        )
    return tuple(reversed(pairs))


SCORINGS: dict[str, Callable[[str, str], Alignment]] = {
    "levenshtein": align_levenshtein,
    "nist": align_nist,
}
