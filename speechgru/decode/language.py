"""What makes one text more probable than another, token by token.

A scorer keeps a state for each text that is being spelled, an integer vector.
It says what every token that could follow adds to the text's score, and the
state behind each; and what the end adds.
"""

import threading
from collections.abc import Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from speechgru.decode.lexicon import REFUSED, ROOT, Lexicon, list_entries
from speechgru.interfaces import BLANK, InputError, Tokenizer
from speechgru.lm.ngram import NGramModel

SPACE = "<space>"
"""The space, as a word of a language model of tokens."""

IMPOSSIBLE = -torch.inf

MAX_CELLS = 14_000_000
"""Scores that a `TokenScorer` keeps, of tokens behind histories: 170 MB."""

_TABLES = threading.Lock()
"""Held by whoever reads or fills the tables of a `TokenScorer`. There is one for all
of them, since a scorer with a lock of its own could not go to other processes."""


class Scorer(Protocol):
    """A part of a text's score beside the acoustic one.

    The states belong to the search; several may use a scorer at once.

    Dimensions: N texts, C tokens, S numbers of a state.
    """

    @property
    def start(self) -> tuple[int, ...]:
        """State of the empty text."""

    def expand(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Give (N, C) scores and (N, C, S) states of all tokens, for (N, S)."""

    def finish(self, states: Tensor) -> Tensor:
        """Give (N,) scores of the text's end."""


def _weigh(lm_weight: float, log_probs: Tensor) -> Tensor:
    """What log-probabilities count; without a weight not even impossible ones do."""
    return lm_weight * log_probs if lm_weight else torch.zeros_like(log_probs)


class TokenScorer:
    """A language model whose words are the model's tokens.

    What follows a history is looked up once and kept, for searches come back to
    the same histories again and again.

    Args:
        lm: has every token among its words; the space as <space>.
        tokenizer: of the tokens.
        lm_weight: of the natural log-probabilities.
        word_score: added per space.
    """

    def __init__(
        self, lm: NGramModel, tokenizer: Tokenizer, lm_weight: float, word_score: float
    ) -> None:
        self.lm = lm
        self.lm_weight = lm_weight
        self.start = (lm.begin,)
        names = token_names(tokenizer)
        missing = next((name for name in names if name not in lm.ids), None)
        if missing is not None and lm.unknown_id is None:
            raise InputError(
                f"the language model of tokens lacks the token {missing!r} and <unk>; "
                "estimate it with the model's text options by speechgru lm unit=token"
            )
        ids = [lm.ids.get(name, lm.unknown_id) for name in names]
        self.ids = torch.tensor([lm.end_id, *ids])  # the blank is refused below
        bonus = [word_score * token.startswith(" ") for token in tokenizer.tokens]
        bonus[BLANK] = IMPOSSIBLE
        self.bonus = torch.tensor(bonus)
        self._forget()

    def expand(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """See `Scorer`."""
        histories = states[:, 0]
        with _TABLES:
            if self._num_rows * len(self.ids) > MAX_CELLS:
                self._forget()
            self._look_up(histories[self._rows[histories] < 0].unique())  # type: ignore[no-untyped-call]  # torch's
            rows = self._rows[histories]
            return self._scores[rows], self._reached[rows][..., None]

    def _forget(self) -> None:
        """Begin with empty tables: a row for each history, a column for each token."""
        self._num_rows = 0
        self._rows = torch.full((self.lm.num_states,), -1)
        self._scores = torch.empty(0, len(self.ids))
        self._reached = torch.empty(0, len(self.ids), dtype=torch.int64)

    def _look_up(self, histories: Tensor) -> None:
        """Add the rows of histories, each once, that have none."""
        begin, end = self._num_rows, self._num_rows + len(histories)
        if end > len(self._scores):
            more = (0, 0, 0, max(end, 2 * begin) - len(self._scores))
            self._scores = F.pad(self._scores, more)
            self._reached = F.pad(self._reached, more)
        wide = histories[:, None].expand(-1, len(self.ids))
        log_probs, reached = self.lm.score(wide, self.ids.expand_as(wide))
        self._scores[begin:end] = _weigh(self.lm_weight, log_probs) + self.bonus
        self._reached[begin:end] = reached
        self._rows[histories] = torch.arange(begin, end)
        self._num_rows = end

    def finish(self, states: Tensor) -> Tensor:
        """See `Scorer`."""
        ends = torch.full_like(states[:, 0], self.lm.end_id)
        return _weigh(self.lm_weight, self.lm.score(states[:, 0], ends)[0])


class WordScorer:
    """A lexicon, with or without a language model of its words.

    Within a word, the score already holds the best that the word can become,
    as unigrams are; the word's own score replaces it at its end.

    Args:
        lexicon: of the words.
        tokenizer: of the tokens.
        lm: a model of words; None scores all words of the lexicon alike.
        lm_weight: of the natural log-probabilities.
        word_score: added per word.
        unknown_score: added per word outside an open lexicon, and to the
            language model's <unk>.
    """

    def __init__(
        self,
        lexicon: Lexicon,
        tokenizer: Tokenizer,
        lm: NGramModel | None,
        lm_weight: float,
        word_score: float,
        unknown_score: float = 0.0,
    ) -> None:
        self.lexicon = lexicon
        self.lm = lm
        self.lm_weight = lm_weight
        self.start = (ROOT, lm.begin if lm else 0)
        # A word is over where a token leads to, or over, the space between words.
        known = lexicon.num_words > 0
        self.bonus = torch.where(known, word_score, word_score + unknown_score)
        self.can_end = known | (lexicon.unknown_node != REFUSED)
        self.can_end[ROOT] = True
        if lm is not None:
            lacking = [word for word in lexicon.words if word not in lm.ids]
            if lm.unknown_id is None and (lacking or lexicon.unknown_node != REFUSED):
                raise InputError(
                    "the language model has no <unk>, but the lexicon has other words "
                    f"({', '.join(lacking[:3]) or 'it is open'}); estimate the model "
                    "by speechgru lm, which adds <unk>"
                )
            self._choices = WordChoices(lexicon, lm)
        begins = [token.startswith(" ") for token in tokenizer.tokens]
        self.begins_word = torch.tensor(begins)
        self.promise = self._look_ahead()

    def _look_ahead(self) -> Tensor:
        """(N,) the best unigram score of the words beyond each node."""
        promise = torch.zeros(len(self.can_end))
        if self.lm is None:
            return promise
        ends = self.can_end.clone()
        ends[ROOT] = False
        [nodes] = ends.nonzero(as_tuple=True)
        no_history = torch.zeros_like(nodes)
        promise.fill_(IMPOSSIBLE)
        log_probs, _ = self._choices.score(no_history, nodes)
        promise[ends] = _weigh(self.lm_weight, log_probs)
        best = promise.tolist()
        for node in range(len(best) - 1, ROOT, -1):
            parent = self.lexicon.parents[node]
            best[parent] = max(best[parent], best[node])
        return torch.tensor([0.0, *best[1:]])

    def expand(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """See `Scorer`."""
        nodes, histories = states.unbind(-1)
        reached = self.lexicon.step(nodes)
        refused = reached == REFUSED
        reached = reached.clamp(min=ROOT)
        scores = self.promise[reached] - self.promise[nodes][:, None]
        word_scores, longer = self._score_words(nodes, histories)
        is_over = (nodes != ROOT)[:, None] & self.begins_word
        scores = scores + torch.where(is_over, word_scores[:, None], 0.0)
        histories = torch.where(is_over, longer[:, None], histories[:, None])
        scores = scores.masked_fill(refused, IMPOSSIBLE)
        return scores, torch.stack([reached, histories], dim=-1)

    def finish(self, states: Tensor) -> Tensor:
        """See `Scorer`."""
        nodes, histories = states.unbind(-1)
        scores, longer = self._score_words(nodes, histories)
        within = nodes != ROOT
        scores = torch.where(within, scores - self.promise[nodes], 0.0)
        if self.lm is not None:
            histories = torch.where(within, longer, histories)
            ends = torch.full_like(nodes, self.lm.end_id)
            scores = scores + _weigh(self.lm_weight, self.lm.score(histories, ends)[0])
        return scores.masked_fill(~self.can_end[nodes], IMPOSSIBLE)

    def _score_words(self, nodes: Tensor, histories: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of the words that end at nodes, and the histories with them."""
        scores = self.bonus[nodes]
        if self.lm is None:
            return scores, histories
        log_probs, longer = self._choices.score(histories, nodes)
        return scores + _weigh(self.lm_weight, log_probs), longer


class WordChoices:
    """The words that end at each node of a lexicon, for a language model.

    Of words that sound alike, the search takes the one that is most probable behind
    what it has heard so far.

    Args:
        lexicon: of the words; a node where none ends has the unknown one.
        lm: of words.
    """

    def __init__(self, lexicon: Lexicon, lm: NGramModel) -> None:
        self._lm = lm
        unknown = lm.unknown_id or 0
        ids = torch.tensor([lm.ids.get(word, unknown) for word in lexicon.words])
        numbers = lexicon.num_words.clamp(min=1)
        self._first = F.pad(numbers.cumsum(0), (1, 0))
        self._ids = torch.full((int(self._first[-1]),), unknown)
        self._ids[(lexicon.num_words > 0).repeat_interleave(numbers)] = ids[
            lexicon.word_ids
        ]
        self._has_several = bool(numbers.max() > 1)

    def score(self, histories: Tensor, nodes: Tensor) -> tuple[Tensor, Tensor]:
        """Score the best word that ends at each node.

        Args:
            histories: (n,) int64 states of the language model.
            nodes: (n,) int64.

        Returns:
            log_probs: (n,) float32, natural log.
            histories: (n,) int64, with the words.
        """
        if not self._has_several:
            return self._lm.score(histories, self._ids[self._first[nodes]])
        rows, places = list_entries(self._first, nodes)
        log_probs, longer = self._lm.score(histories[rows], self._ids[places])
        best = torch.full(nodes.shape, IMPOSSIBLE)
        best.scatter_reduce_(0, rows, log_probs, "amax")
        [equal] = (log_probs == best[rows]).nonzero(as_tuple=True)
        chosen = torch.full(nodes.shape, len(rows))
        chosen.scatter_reduce_(0, rows[equal], equal, "amin")
        return best, longer[chosen]


class ScorerSum:
    """Any number of scorers; none of them leaves all texts alike.

    Args:
        scorers: of the same tokens.
        num_tokens: C.
    """

    def __init__(self, scorers: Sequence[Scorer], num_tokens: int) -> None:
        self.scorers = tuple(scorers)
        self.num_tokens = num_tokens
        self.start = tuple(number for scorer in scorers for number in scorer.start)

    def expand(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """See `Scorer`."""
        scores = torch.zeros(len(states), self.num_tokens)
        scores[:, BLANK] = IMPOSSIBLE
        reached = []
        for scorer, part in zip(self.scorers, self._split(states), strict=True):
            added, states_behind = scorer.expand(part)
            scores = scores + added
            reached.append(states_behind)
        if not reached:
            return scores, states[:, None].expand(-1, self.num_tokens, -1)
        return scores, torch.cat(reached, dim=-1)

    def finish(self, states: Tensor) -> Tensor:
        """See `Scorer`."""
        scores = torch.zeros(len(states))
        for scorer, part in zip(self.scorers, self._split(states), strict=True):
            scores = scores + scorer.finish(part)
        return scores

    def _split(self, states: Tensor) -> tuple[Tensor, ...]:
        sizes = [len(scorer.start) for scorer in self.scorers]
        return torch.split(states, sizes, dim=-1)


def token_names(tokenizer: Tokenizer) -> list[str]:
    """How a language model of tokens calls them, the blank left out."""
    return [token.replace(" ", SPACE) for token in tokenizer.tokens[1:]]
