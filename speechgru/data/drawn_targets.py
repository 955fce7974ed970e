"""Targets that are cut into tokens in another way in every epoch."""

from collections.abc import Callable
from dataclasses import dataclass

from speechgru.data.feasibility import frames_needed
from speechgru.data.randomness import keyed_seed
from speechgru.interfaces import SamplingTokenizer, Tokenizer


@dataclass(frozen=True)
class DrawnTargets:
    """Draws how the text of an utterance is spelled in an epoch.

    All views of an utterance have one spelling. One that is too long for CTC is not
    taken; the best is then.

    Attributes:
        tokenizer: spells texts.
        seed: of the run.
        output_lengths: samples to output frames of the model.
    """

    tokenizer: SamplingTokenizer
    seed: int
    output_lengths: Callable[[int], int]

    def __call__(self, text: str, key: tuple[int, str], num_samples: int) -> list[int]:
        """Token ids of a text.

        Args:
            text: of an utterance.
            key: the epoch, and the id of the utterance.
            num_samples: of its waveform, at the model's rate.

        Raises:
            InputError: the tokens cannot spell it.
        """
        seed = keyed_seed("text", self.seed, *key)
        drawn = self.tokenizer.sample(text, seed)
        try:
            num_frames = self.output_lengths(num_samples)
        except ValueError:  # shorter than one window
            num_frames = 0
        if frames_needed(drawn) > num_frames:
            return self.tokenizer.encode(text)
        return drawn


def draw_targets(
    tokenizer: Tokenizer, seed: int, output_lengths: Callable[[int], int]
) -> DrawnTargets | None:
    """What draws targets for a tokenizer, if it spells a text in several ways."""
    if isinstance(tokenizer, SamplingTokenizer):
        return DrawnTargets(tokenizer, seed, output_lengths)
    return None
