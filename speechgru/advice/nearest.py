"""Which measured runs a corpus is most like."""

import math
from collections.abc import Iterable, Sequence

from speechgru.advice.facts import CorpusFacts
from speechgru.advice.measured import MeasuredRun

FAR = 1.5
"""From here on no run is near: as of 4.5 times as many hours."""


def distance(facts: CorpusFacts, run: MeasuredRun) -> float:
    """How unlike a corpus is to that of a run.

    Differences of the logarithms of hours, and by half of different words and by a
    quarter of speakers. How much each counts was chosen, not measured.
    """
    return (
        abs(math.log(max(facts.hours, 1e-3) / run.hours))
        + abs(math.log(max(facts.vocabulary, 1) / run.vocabulary)) / 2
        + abs(math.log(max(facts.speakers, 1) / run.speakers)) / 4
    )


def sort_by_distance(
    facts: CorpusFacts, runs: Iterable[MeasuredRun]
) -> Sequence[MeasuredRun]:
    """The nearest first."""
    return sorted(runs, key=lambda run: distance(facts, run))


def find_unknown(
    facts: CorpusFacts, base: MeasuredRun, runs: Sequence[MeasuredRun]
) -> list[str]:
    """What the table does not know of such a corpus, and what stands in for it.

    Args:
        facts: of the corpus.
        base: the run that advice begins from.
        runs: all there are.
    """
    most, least = (pick(run.hours for run in runs) for pick in (max, min))
    lines = []
    if facts.hours > 1.5 * most:
        lines.append(
            f"no run here heard more than {most:.1f} h: sizes and epochs are those of "
            f"{base.corpus}, and larger models were not tried on so much"
        )
    if facts.hours < least / 1.5:
        lines.append(
            f"no run here heard less than {least:.2f} h: expect that words are learnt "
            "by heart"
        )
    most_words = max(run.vocabulary for run in runs)
    if facts.vocabulary > 2 * most_words:
        lines.append(f"no run here had more than {most_words:,} different words")
    if facts.latin < 0.5:
        lines.append(
            "all runs here were English, or written in Latin letters; other scripts "
            "were not trained on"
        )
    if facts.speakers == 1 and base.speakers > 1:
        lines.append(f"one speaker only; {base.corpus} has {base.speakers}")
    if not facts.speakers:
        lines.append(
            "no speakers are known: a score on unnamed voices may be of known ones"
        )
    far = distance(facts, base)
    if far > FAR:
        lines.append(
            f"no run is near: {base.corpus} has {base.hours:.2f} h, "
            f"{base.vocabulary:,} different words and {base.speakers} speakers; what "
            "follows is extrapolated from it"
        )
    lines.append(
        "all runs here are of read or prompted speech into one microphone; of "
        "conversations, calls or noisy rooms the table knows nothing"
    )
    return lines
