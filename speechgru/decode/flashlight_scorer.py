"""Flashlight's search for tokens of any kind, with our scorers for its language model.

Its search with a lexicon needs a space behind every word, which pieces of words do
not have: there the token that ends a word could not last for two frames.
Import this only where flashlight is installed.
"""

import threading

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torchaudio.models.decoder import CTCDecoder, CTCDecoderLM, CTCDecoderLMState

from speechgru.decode.beam import Found
from speechgru.decode.language import MAX_CELLS, SPACE, Scorer

SILENCE = 2 * SPACE
"""A token behind the model's, which is never heard: flashlight begins with one."""

UNHEARD = -1e4
"""Natural log-probability of `SILENCE`."""

UNFINISHED, REFUSED = -1e9, -1e15
"""Scores of a text that cannot end where it does, and of a token that cannot follow;
flashlight's candidates must be finite."""


class ScorerLM(CTCDecoderLM):  # type: ignore[misc]  # flashlight's
    """A scorer as flashlight asks for it: text by text, token by token.

    What follows a state is looked up once and kept, for searches come back to the
    same states again and again.

    Args:
        scorer: of C tokens.
        num_tokens: C.
    """

    def __init__(self, scorer: Scorer, num_tokens: int) -> None:
        super().__init__()
        self._scorer = scorer
        self._num_tokens = num_tokens
        self._rows: dict[tuple[int, ...], tuple[np.ndarray, np.ndarray]] = {}
        self._states: dict[CTCDecoderLMState, tuple[int, ...]] = {}

    def start(self, start_with_nothing: bool) -> CTCDecoderLMState:
        """Begin an utterance; forget the texts of the last."""
        if len(self._rows) * self._num_tokens > MAX_CELLS:
            self._rows.clear()
        state = CTCDecoderLMState()
        self._states = {state: self._scorer.start}
        return state

    def score(
        self, state: CTCDecoderLMState, usr_token_idx: int
    ) -> tuple[CTCDecoderLMState, float]:
        """What a token adds to a text, and the text with it."""
        longer = state.child(usr_token_idx)
        if usr_token_idx >= self._num_tokens:
            self._states[longer] = self._states[state]
            return longer, REFUSED
        scores, reached = self._expand(self._states[state])
        if longer not in self._states:
            self._states[longer] = tuple(reached[usr_token_idx].tolist())
        return longer, float(scores[usr_token_idx])

    def finish(self, state: CTCDecoderLMState) -> tuple[CTCDecoderLMState, float]:
        """What the end adds to a text."""
        numbers = torch.tensor([self._states[state]])
        return state, max(UNFINISHED, self._scorer.finish(numbers).item())

    def _expand(self, numbers: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        row = self._rows.get(numbers)
        if row is None:
            scores, reached = self._scorer.expand(torch.tensor([numbers]))
            row = scores[0].clamp(min=REFUSED).numpy(), reached[0].numpy()
            self._rows[numbers] = row
        return row


class TokenSearch:
    """Search with flashlight's decoder that has no lexicon; see `Search`.

    Args:
        decoder: of C tokens and `SILENCE`.
        num_tokens: C.
    """

    def __init__(self, decoder: CTCDecoder, num_tokens: int) -> None:
        self._decoder = decoder
        self._num_tokens = num_tokens
        # The decoder keeps the beam within itself.
        self._lock = threading.Lock()

    def __call__(self, log_probs: Tensor, lengths: Tensor) -> list[list[Found]]:
        """Decode a padded batch, one utterance after the other."""
        log_probs = F.pad(log_probs, (0, 1), value=UNHEARD)
        return [
            self._search_one(log_probs[index, :length])
            for index, length in enumerate(lengths.tolist())
        ]

    def _search_one(self, log_probs: Tensor) -> list[Found]:
        """Decode (T, C + 1)."""
        with self._lock:
            [results] = self._decoder(log_probs[None].contiguous())
        found = [
            (tuple(id for id in result.tokens.tolist() if id < self._num_tokens), score)
            for result in results
            if (score := result.score) > REFUSED / 2
        ]
        whole = [(ids, score) for ids, score in found if score > UNFINISHED / 2]
        if whole:
            texts = [Found(ids, score, True) for ids, score in whole]
        else:
            texts = [Found(ids, score - UNFINISHED, False) for ids, score in found]
        # Sorted before the last words were scored, not after.
        return sorted(texts, key=lambda one: -one.score)
