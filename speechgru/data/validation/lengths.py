"""Audio of another duration than it should have, or too short for its transcript."""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from speechgru.audio import duration_tolerance
from speechgru.data.feasibility import frames_needed
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
    """Whether CTC can align: see `frames_needed`.

    Attributes:
        sample_rate: the model's, Hz.
        output_lengths: samples to output frames of the model; None: no check.
        shortest: what the augmentation of training makes at least of a duration that
            needs a duration, all in s; None: it changes none.
        sped_up_less: ids of those that cannot align at every speed.
    """

    sample_rate: int
    output_lengths: Callable[[int], int] | None
    shortest: Callable[[float, float], float] | None
    sped_up_less: list[str] = field(default_factory=list)

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
        needed = frames_needed(token_ids)
        num_frames = self._count_frames(num_samples)
        at_speed = ""
        shortened = self._shorten(num_samples, 0) if augmented else num_samples
        if num_frames >= needed > self._count_frames(shortened):
            fewest = bisect_left(range(num_samples), needed, key=self._count_frames)
            num_frames = self._count_frames(self._shorten(num_samples, fewest))
            at_speed = ", at the highest speed of the augmentation"
            if num_frames >= needed:
                self.sped_up_less.append(utterance.id)
        if num_frames >= needed:
            return []
        repeats = needed - len(token_ids)
        more = f" ({repeats} more for repeated tokens)" if repeats else ""
        return [
            (
                "too-short",
                f"{utterance.id}: {len(token_ids)} targets cannot align with "
                f"{num_frames} output frames{more}{at_speed}; lower the subsampling or "
                "drop the utterance",
            )
        ]

    def notes(self) -> list[str]:
        """What training will do about those that cannot align at every speed."""
        count = len(self.sped_up_less)
        if not count:
            return []
        some = ", ".join(self.sped_up_less[:5]) + (", ..." if count > 5 else "")
        those, are = ("utterance", "is") if count == 1 else ("utterances", "are")
        return [
            f"{count} {those} of train cannot align at the highest speed of the "
            f"augmentation, and {are} sped up less: {some}"
        ]

    def _count_frames(self, num_samples: int) -> int:
        assert self.output_lengths is not None  # or nothing is checked
        try:
            return max(0, int(self.output_lengths(num_samples)))
        except ValueError:  # shorter than one window
            return 0

    def _shorten(self, num_samples: int, fewest: int) -> int:
        """Samples that augmentation makes at least of so many that need so many."""
        if self.shortest is None:
            return num_samples
        rate = self.sample_rate
        shortened = self.shortest(num_samples / rate, fewest / rate) * rate
        # What is hardly below a whole number is one, but for rounding.
        return math.floor(shortened + 1e-3)
