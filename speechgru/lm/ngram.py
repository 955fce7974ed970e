"""N-gram models with backoff: how probable a word is after its history."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from speechgru.interfaces import InputError
from speechgru.lm.table import BEGIN, BLOCK, END, UNKNOWN, NGramTable, blocks


class NGramModel:
    """Score words after their history, many at once.

    A state is what the model remembers of a history: the longest end of it that
    any n-gram goes on from. States are integers; `begin` is that of a
    sentence's start. Words are ids, their places in `words`.

    Args:
        ngrams: of words.

    Raises:
        InputError: the unigrams lack </s>.

    Source:
        Backoff: "Estimation of probabilities from sparse data", Katz 1987.
    """

    def __init__(self, ngrams: NGramTable) -> None:
        self.order = ngrams.order
        self.words = ngrams.words
        self.ids = ngrams.ids
        if END not in self.ids:
            raise InputError(
                f"the language model has no {END} among its {len(self.words)} words; "
                "estimate it on sentences, e.g. by speechgru lm"
            )
        self._keys = torch.from_numpy(ngrams.node_keys)
        self._log_probs = torch.from_numpy(ngrams.log_probs)
        self._backoffs = torch.from_numpy(ngrams.backoffs)
        self._shorter = torch.from_numpy(ngrams.shorter)
        self._states = torch.from_numpy(find_states(ngrams))
        self.begin = int(self._states[self.ids[BEGIN] + 1 if BEGIN in self.ids else 0])
        self.end_id = self.ids[END]
        self.unknown_id = self.ids.get(UNKNOWN)

    @property
    def num_states(self) -> int:
        """Histories are integers below this."""
        return len(self._states)

    def score(self, states: Tensor, word_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Score one word after each history.

        Args:
            states: (...) int64.
            word_ids: (...) int64, of the same shape.

        Returns:
            log_probs: (...) float32, natural log.
            states: (...) int64, of the histories with the words.
        """
        log_probs = torch.zeros(states.shape, dtype=torch.float32)
        reached = torch.zeros_like(states)
        searching = torch.ones(states.shape, dtype=torch.bool)
        for _ in range(self.order):
            keys = states * len(self.words) + word_ids
            nodes = torch.searchsorted(self._keys, keys).clamp_(max=len(self._keys) - 1)
            found = (self._keys[nodes] == keys) & searching
            log_probs += torch.where(found, self._log_probs[nodes], 0.0)
            reached = torch.where(found, self._states[nodes].long(), reached)
            searching &= ~found
            if not searching.any():
                break
            log_probs += torch.where(searching, self._backoffs[states], 0.0)
            states = torch.where(searching, self._shorter[states].long(), states)
        return log_probs, reached

    def score_sentence(self, words: Sequence[str]) -> list[float]:
        """Natural log-probabilities of each word and of the sentence's end.

        A word that the model does not have is scored as <unk>.

        Raises:
            InputError: the model has neither the word nor <unk>.
        """
        state = torch.tensor(self.begin)
        scores = []
        for word in (*words, END):
            word_id = self.ids.get(word, self.unknown_id)
            if word_id is None:
                raise InputError(
                    f"the language model has neither {word!r} nor {UNKNOWN}; estimate "
                    "it with speechgru lm, which adds it"
                )
            log_prob, state = self.score(state, torch.tensor(word_id))
            scores.append(log_prob.item())
        return scores


def find_states(ngrams: NGramTable) -> np.ndarray:
    """(N,) the shortest n-gram that remembers all that each node does."""
    states = np.arange(len(ngrams.node_keys), dtype=np.int32)
    goes_on = np.zeros(len(states), dtype=bool)
    for begin, end in blocks(1, len(states), BLOCK):
        goes_on[ngrams.node_keys[begin:end] // len(ngrams.words)] = True
    for n in range(1, ngrams.order + 1):
        begin, end = ngrams.ends[n - 1], ngrams.ends[n]
        # The longest n-grams are no histories, whatever backoff they have.
        stays = goes_on[begin:end] | (ngrams.backoffs[begin:end] != 0.0)
        shorter = states[ngrams.shorter[begin:end]]
        if n == ngrams.order:
            stays[:] = False
        states[begin:end] = np.where(stays, states[begin:end], shorter)
    return states


def perplexity(model: NGramModel, sentences: Iterable[Sequence[str]]) -> float:
    """e to the mean negative log-probability of words and sentences' ends."""
    scores = [score for words in sentences for score in model.score_sentence(words)]
    return math.exp(-math.fsum(scores) / len(scores))
