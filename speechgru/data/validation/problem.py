"""A problem of one utterance."""

from dataclasses import dataclass

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
