"""What the beam searches share: their options, and hypotheses with confidences."""

import copy
import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from speechgru.decode.align import align_tokens
from speechgru.decode.blank_penalty import penalize_blank
from speechgru.decode.confidence import Confidence
from speechgru.decode.n_best import Rescoring
from speechgru.decode.spans import check_log_probs, group_words
from speechgru.decode.vocabulary import Language, read_language
from speechgru.interfaces import (
    Alternative,
    Hypothesis,
    Tokenizer,
)
from speechgru.lm.weights import SEARCH_WEIGHTS, read_weights
from speechgru.ranges import BEAM_SIZE, LOG_SCORE, WEIGHT, OptionError, Range, check


@dataclass(frozen=True)
class Found:
    """A text that the search has found.

    Attributes:
        token_ids: of the text; of prefix_beam also of needless spaces, at its ends
            and in a row, so that several may be of one text.
        score: natural logarithm of the probability of all its paths that were
            kept, plus what the scorer adds.
        is_whole: whether the scorer lets the text end here.
    """

    token_ids: tuple[int, ...]
    score: float
    is_whole: bool


Search = Callable[[Tensor, Tensor], list[list[Found]]]
"""Finds up to beam_size texts for each utterance, the best first, in log_probs
(B, T, C) float32 and lengths (B,) int64, both on the CPU."""

_PREPARING = threading.Lock()
"""Of several threads one reads the language model, and the others wait for it."""


class BeamDecoder(ABC):
    """Search for the text that is most probable as sound and as language.

    The score of a text is the natural log-probability of its paths, plus
    lm_weight times that of the text by the language model, plus word_score for
    each word.

    The language model may be one of words, whose words are then all that can be
    heard unless there is a lexicon; or one of the model's tokens.

    Args:
        beam_size: prefixes that are kept after each frame.
        lm: an ARPA file; None: none.
        lm_weight: None: what `speechgru tune` has found best for the lm, else 0.5.
        word_score: None: likewise, else 0.
        lexicon: a file with one word a line, which alone can be heard; None:
            the words of the language model, if it is one of words.
        num_best: texts of a hypothesis, its alternatives included.
        beam_threshold: prefixes are dropped that are so far, in natural log,
            behind the best.
        model: digest of the acoustic model, whose tuned weights are taken; None:
            those that were tuned last.
        rescoring: what the best texts are sorted anew by; None: nothing.
        blank_penalty: subtracted from the blank's natural log-probability, in scores
            as well.

    Attributes:
        name: as in decoder=NAME.

    Raises:
        InputError: an option is out of its range; see also `read_weights`.
    """

    name: str

    def __init__(
        self,
        beam_size: int = 100,
        lm: str | None = None,
        lm_weight: float | None = None,
        word_score: float | None = None,
        lexicon: str | None = None,
        num_best: int = 1,
        beam_threshold: float = 20.0,
        model: str | None = None,
        rescoring: Rescoring | None = None,
        blank_penalty: float = 0.0,
    ) -> None:
        check("blank_penalty", blank_penalty, LOG_SCORE)
        check("beam_threshold", beam_threshold, Range(0, math.inf, above=True))
        if lm_weight is not None:
            check("lm_weight", lm_weight, WEIGHT)
        if word_score is not None:
            check("word_score", word_score, LOG_SCORE)
        if lm is None and lm_weight is not None:
            raise OptionError(
                f"lm_weight is {lm_weight}, but there is no language model; "
                "set decoder.lm=FILE.arpa"
            )
        self.lm_path = lm
        self.lexicon_path = lexicon
        self.beam_threshold = beam_threshold
        self.blank_penalty = blank_penalty
        self.rescoring = rescoring
        self.takes_tuned = lm is not None and None in (lm_weight, word_score)
        tuned = dict(SEARCH_WEIGHTS)
        if lm is not None:
            tuned = read_weights(lm, self.name, SEARCH_WEIGHTS, model)
        self.confidence = Confidence.of_weights(tuned)
        self._language: tuple[Tokenizer, Language] | None = None
        self._set(
            tuned["lm_weight"] if lm_weight is None else lm_weight,
            tuned["word_score"] if word_score is None else word_score,
            beam_size,
            num_best,
        )

    @property
    def open_vocabulary(self) -> bool:
        """Whether words may be heard that are not in the lexicon."""
        return False

    @property
    def weights(self) -> dict[str, float]:
        """What counts how much, be it asked for, tuned or usual."""
        weights = {"word_score": self.word_score}
        if self.lm_path is not None:
            weights |= {"lm_weight": self.lm_weight, **self.confidence.weights}
        if self.rescoring is not None:
            weights |= {"rescore_weight": self.rescoring.weight}
        return weights

    def adjusted(
        self, lm_weight: float, word_score: float, beam_size: int, num_best: int
    ) -> "BeamDecoder":
        """The same search with other weights and sizes; what was read is shared.

        Raises:
            OptionError: a size is out of its range.
        """
        other = copy.copy(self)
        other._set(lm_weight, word_score, beam_size, num_best)
        return other

    def _set(
        self, lm_weight: float, word_score: float, beam_size: int, num_best: int
    ) -> None:
        check("beam_size", beam_size, BEAM_SIZE)
        check("num_best", num_best, BEAM_SIZE)
        if num_best > beam_size:
            raise OptionError(
                f"num_best is {num_best}, expected at most beam_size "
                f"({beam_size}); raise decoder.beam_size"
            )
        self.lm_weight = lm_weight
        self.word_score = word_score
        self.beam_size = beam_size
        self.num_best = num_best
        self._prepared: tuple[Tokenizer, Search] | None = None

    def scores_words(self, tokenizer: Tokenizer) -> bool:
        """Whether a word_score makes a difference."""
        return True

    @abstractmethod
    def prepare(self, language: Language, tokenizer: Tokenizer) -> Search:
        """Give the search for texts of these tokens, with these weights.

        Several threads may call it at once: its state belongs to the call.

        Raises:
            InputError: the search has no use for such a language.
        """

    def __call__(
        self,
        log_probs: Tensor,
        output_lengths: Tensor,
        tokenizer: Tokenizer,
        seconds_per_frame: float,
    ) -> list[Hypothesis]:
        """Decode a padded batch; frames beyond a length never matter.

        Args:
            log_probs: (B, T, C) float natural log-probabilities.
            output_lengths: (B,) integers, frames, each in [0, T].
            tokenizer: with C tokens.
            seconds_per_frame: s.

        Returns:
            B hypotheses. Tokens have the times of the most probable path of the
            text. For the confidence of a word see `Confidence`; it is calibrated
            with the language model's weights.

        Raises:
            ValueError: see `check_log_probs`.
            InputError: see `fit`.
        """
        check_log_probs(log_probs, output_lengths, len(tokenizer.tokens))
        search = self.fit(tokenizer)
        log_probs = log_probs.detach().to("cpu", torch.float32)
        log_probs = penalize_blank(log_probs, self.blank_penalty)
        lengths = output_lengths.cpu()
        return [
            self.describe(
                found, log_probs[index, : lengths[index]], tokenizer, seconds_per_frame
            )
            for index, found in enumerate(search(log_probs, lengths))
        ]

    def fit(self, tokenizer: Tokenizer) -> Search:
        """Get ready for texts of these tokens, unless it is. Raises InputError."""
        with _PREPARING:
            prepared = self._prepared
            if prepared is None or prepared[0] is not tokenizer:
                search = self.prepare(self.read_language(tokenizer), tokenizer)
                self._prepared = prepared = (tokenizer, search)
            return prepared[1]

    def read_language(self, tokenizer: Tokenizer) -> Language:
        """Read the language model and the lexicon, unless they have been read.

        Raises:
            InputError: they cannot be read, or do not fit the tokens.
        """
        known = self._language
        if known is None or known[0] is not tokenizer:
            language = read_language(
                self.lm_path, self.lexicon_path, self.open_vocabulary, tokenizer
            )
            self._language = known = (tokenizer, language)
        return known[1]

    def write(self, texts: Sequence[Sequence[int]], tokenizer: Tokenizer) -> list[str]:
        """The words of texts that were found, as token ids, one space between."""
        write = self.read_language(tokenizer).writer or partial(map, tokenizer.decode)
        return [" ".join(text.split()) for text in write(texts)]

    def describe(
        self,
        found: Sequence[Found],
        log_probs: Tensor,
        tokenizer: Tokenizer,
        seconds_per_frame: float,
    ) -> Hypothesis:
        """Make a hypothesis of what the search has found for an utterance.

        Args:
            found: texts, the best first.
            log_probs: (T, C) float32 on the CPU, the blank's penalty included.
            tokenizer: of the texts.
            seconds_per_frame: s.
        """
        # Equal texts may differ in needless spaces; the first of them is the best.
        scores: dict[str, float] = {}
        spelled: dict[str, Sequence[int]] = {}
        whole = [
            one.token_ids if one.is_whole else cut_last_word(one.token_ids, tokenizer)
            for one in found
        ]
        texts = self.write(whole, tokenizer)
        for one, token_ids, text in zip(found, whole, texts, strict=True):
            spelled.setdefault(text, token_ids)
            before = scores.get(text, -math.inf)
            scores[text] = float(np.logaddexp(before, one.score))
        scores = dict(sorted(scores.items(), key=lambda item: -item[1]))
        if self.rescoring is not None:
            scores = self.rescoring(scores)
        text, *others = scores
        tokens = align_tokens(log_probs, spelled[text], tokenizer, seconds_per_frame)
        return Hypothesis(
            text=text,
            score=scores[text],
            tokens=tuple(tokens),
            words=self.confidence.judge(scores, group_words(tokens, text)),
            alternatives=tuple(
                Alternative(other, scores[other])
                for other in others[: self.num_best - 1]
            ),
        )


def cut_last_word(token_ids: Sequence[int], tokenizer: Tokenizer) -> tuple[int, ...]:
    """Leave out a word that was never finished."""
    begins = [
        place
        for place, token_id in enumerate(token_ids)
        if tokenizer.tokens[token_id].startswith(" ")
    ]
    return tuple(token_ids[: begins[-1]]) if begins else ()
