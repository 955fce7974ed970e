"""Targets that are cut into tokens in another way in every epoch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
        fewest_samples: that tokens can align with.
    """

    tokenizer: SamplingTokenizer
    seed: int
    fewest_samples: Callable[[Sequence[int]], float]

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
        if self.fewest_samples(drawn) > num_samples:
            return self.tokenizer.encode(text)
        return drawn


def draw_targets(
    tokenizer: Tokenizer, seed: int, fewest_samples: Callable[[Sequence[int]], float]
) -> DrawnTargets | None:
    """What draws targets for a tokenizer, if it spells a text in several ways."""
    if isinstance(tokenizer, SamplingTokenizer):
        return DrawnTargets(tokenizer, seed, fewest_samples)
    return None
