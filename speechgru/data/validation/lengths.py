"""Audio of another duration than it should have, or too short for its transcript."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from speechgru.audio import duration_tolerance
from speechgru.data.validation.problem import Found
from speechgru.interfaces import Utterance


def check_duration(utterance: Utterance, found: float) -> list[Found]:
    """Hold the duration of the audio, in s, against the manifest."""
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


@dataclass(frozen=True)
class Alignment:
    """Whether CTC can align: it needs a frame a token, and a blank between equals.

    Attributes:
        sample_rate: the model's, Hz.
        output_lengths: samples to output frames of the model; None: no check.
        shortest: what the augmentation of training makes of a duration at least,
            both in s; None: it changes none.
    """

    sample_rate: int
    output_lengths: Callable[[int], int] | None
    shortest: Callable[[float], float] | None

    def check(
        self,
        utterance: Utterance,
        token_ids: Sequence[int],
        num_samples: int,
        augmented: bool,
    ) -> list[Found]:
        """Find out whether an utterance is long enough for its tokens.

        Args:
            utterance: for the message.
            token_ids: of its transcript.
            num_samples: at `sample_rate`.
            augmented: whether the augmentation may shorten it.
        """
        if not token_ids or self.output_lengths is None:
            return []
        speed = ""
        if augmented and self.shortest is not None:
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
