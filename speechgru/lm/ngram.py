"""N-gram models with backoff: how probable a word is after its history."""

import math
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from speechgru.interfaces import InputError

BEGIN, END, UNKNOWN = "<s>", "</s>", "<unk>"

NGrams = Mapping[tuple[str, ...], tuple[float, float]]
"""Natural log-probability and backoff weight of n-grams, which are words."""


class NGramModel:
    """Score words after their history, many at once.

    A state is what the model remembers of a history: the longest end of it that
    any n-gram goes on from. States are integers; `begin` is that of a
    sentence's start. Words are ids, their places in `words`.

    Args:
        ngrams: the beginning of each of two or more words, less its last
            word, must be an n-gram, too.

    Raises:
        InputError: the unigrams lack </s>, or a beginning is missing.

    Source:
        Backoff: "Estimation of probabilities from sparse data", Katz 1987.
    """

    def __init__(self, ngrams: NGrams) -> None:
        self.order = max(map(len, ngrams), default=0)
        self.words = tuple(ngram[0] for ngram in ngrams if len(ngram) == 1)
        self.ids = {word: index for index, word in enumerate(self.words)}
        if END not in self.ids:
            raise InputError(
                f"the language model has no {END} among its {len(self.words)} words; "
                "estimate it on sentences, e.g. by speechgru lm"
            )
        # One node for each n-gram, and one for the empty history.
        nodes: dict[tuple[str, ...], int] = {(): 0}
        for ngram in sorted(ngrams, key=len):
            nodes[ngram] = len(nodes)
        keys = [-1]
        log_probs, backoffs, shorter = [0.0], [0.0], [0]
        for ngram in list(nodes)[1:]:
            log_prob, backoff = ngrams[ngram]
            if ngram[:-1] not in nodes or ngram[-1] not in self.ids:
                raise InputError(
                    f"the language model has the n-gram {' '.join(ngram)!r}, but not "
                    f"{' '.join(ngram[:-1])!r} and {ngram[-1]!r}; estimate it without "
                    "pruning, or with a tool that keeps the shorter ones"
                )
            keys.append(nodes[ngram[:-1]] * len(self.words) + self.ids[ngram[-1]])
            log_probs.append(log_prob)
            backoffs.append(backoff)
            end = ngram[1:]
            while end not in nodes:
                end = end[1:]
            shorter.append(nodes[end])
        order = sorted(range(len(keys)), key=keys.__getitem__)
        self._keys = torch.tensor([keys[index] for index in order])
        self._nodes = torch.tensor(order)
        self._log_probs = torch.tensor(log_probs, dtype=torch.float32)
        self._backoffs = torch.tensor(backoffs, dtype=torch.float32)
        self._shorter = torch.tensor(shorter)
        # The longest n-grams are no histories: what follows sees one word less.
        full = torch.tensor([len(ngram) == self.order for ngram in nodes])
        self._states = torch.where(
            full, self._shorter, torch.arange(len(nodes), dtype=torch.int64)
        )
        self.begin = int(self._states[nodes.get((BEGIN,), 0)])
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
            places = torch.searchsorted(self._keys, keys).clamp_(
                max=len(self._keys) - 1
            )
            found = (self._keys[places] == keys) & searching
            nodes = self._nodes[places]
            log_probs += torch.where(found, self._log_probs[nodes], 0.0)
            reached = torch.where(found, self._states[nodes], reached)
            searching &= ~found
            if not searching.any():
                break
            log_probs += torch.where(searching, self._backoffs[states], 0.0)
            states = torch.where(searching, self._shorter[states], states)
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


def perplexity(model: NGramModel, sentences: Iterable[Sequence[str]]) -> float:
    """e to the mean negative log-probability of words and sentences' ends."""
    scores = [score for words in sentences for score in model.score_sentence(words)]
    return math.exp(-math.fsum(scores) / len(scores))
