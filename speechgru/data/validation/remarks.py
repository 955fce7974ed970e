"""Remarks on single utterances: sound and pace that few others have."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from speechgru.data.validation.limits import Limits
from speechgru.data.validation.remark import Remark, name_some
from speechgru.data.validation.table import Table
from speechgru.interfaces import Utterance

ENOUGH = 20
"""Utterances with a text from which on a pace can be called unusual."""

LEAST_SPREAD = 0.05
"""Of the logarithm of the pace; read digits differ by so little."""


def remark_on_utterances(
    split: str,
    utterances: Sequence[Utterance],
    table: Table,
    sample_rate: int,
    limits: Limits,
) -> Iterator[Remark]:
    """Remark on what is beyond the limits, kind by kind.

    Args:
        split: its name.
        utterances: of it.
        table: what is known of them.
        sample_rate: of the model, Hz: what lies above half of it is not heard.
        limits: from where on.
    """
    heard = table.heard
    is_usable = heard["sample_rate"] > 0
    has_sound = is_usable & (heard["silence"] < 1)

    def remark(
        kind: str,
        found: np.ndarray,
        value: np.ndarray,
        what: str,
        remedy: str,
        show: Callable[[int], str],
    ) -> Iterator[Remark]:
        indices = np.flatnonzero(found)
        if len(indices):
            worst_first = indices[np.argsort(value[indices], kind="stable")]
            yield Remark(
                kind,
                split,
                f"{len(indices)} of {len(utterances)} utterances of {split} {what}: "
                f"{name_some(utterances, worst_first, show)}; {remedy}",
                worst_first,
            )

    clipped = heard["clipped"]
    yield from remark(
        "clipped",
        is_usable & (clipped >= limits.clipped),
        -clipped,
        f"have {100 * limits.clipped:g} % of their samples or more in flat peaks, as "
        "clipped sound has",
        "take them from a source that is not clipped",
        lambda index: f"{100 * clipped[index]:.1f} %",
    )
    silence = heard["silence"]
    yield from remark(
        "silent",
        is_usable & (silence >= limits.silent),
        -silence,
        f"are silent for {100 * limits.silent:g} % of their time or more",
        "see whether all that is written is said",
        lambda index: f"{100 * silence[index]:.0f} %",
    )
    leading, trailing = heard["leading"], heard["trailing"]
    edges = np.maximum(leading, trailing)
    yield from remark(
        "edges",
        has_sound & (edges >= limits.edges),
        -edges,
        f"begin or end with {limits.edges:g} s of silence or more",
        "cut it off, unless such recordings are to be recognised",
        lambda index: f"{leading[index]:.1f} s, {trailing[index]:.1f} s",
    )
    level = heard["level"]
    yield from remark(
        "quiet",
        is_usable & (level <= limits.quiet),
        level,
        f"are softer than {limits.quiet:g} dBFS",
        "take them from a louder source, whose rounding is not heard",
        lambda index: f"{level[index]:.0f} dBFS",
    )
    half = np.clip(heard["sample_rate"], 1, sample_rate) / 2
    share = heard["bandwidth"] / half
    yield from remark(
        "narrow",
        has_sound & (share <= limits.narrow),
        share,
        f"have no sound in the upper {100 * (1 - limits.narrow):g} % of their "
        "bandwidth, as recordings of a lower rate have",
        "take the originals; if all are so, set features.sample_rate to that rate",
        lambda index: (
            f"to {heard['bandwidth'][index] / 1000:.1f} of {half[index] / 1000:g} kHz"
        ),
    )
    pace, deviations = find_pace(table)
    middle = float(np.median(pace[pace > 0])) if (pace > 0).any() else 0.0
    yield from remark(
        "pace",
        deviations >= limits.pace,
        -deviations,
        "are spoken far faster or slower than the others, of which the median is "
        f"{middle:.1f} characters per second",
        "see whether text and sound belong together",
        lambda index: f"{pace[index]:.1f}",
    )


def find_pace(table: Table) -> tuple[np.ndarray, np.ndarray]:
    """How fast utterances are spoken, and how unusual that is.

    Returns:
        (N,) characters per second between the silences, 0 where there is none, and
        (N,) by how many deviations the logarithm lies off the median: robust ones,
        1.4826 times the median absolute deviation; 0 where they are few.
    """
    is_known = (table.num_characters > 0) & (table.heard["silence"] < 1)
    is_known &= table.heard["sample_rate"] > 0
    pace = np.where(is_known, table.num_characters / table.speech_seconds, 0.0)
    deviations = np.zeros(len(pace))
    if np.count_nonzero(is_known) >= ENOUGH:
        logarithms = np.log(pace[is_known])
        off = np.abs(logarithms - np.median(logarithms))
        deviations[is_known] = off / max(1.4826 * float(np.median(off)), LEAST_SPREAD)
    return pace, deviations
