"""What the beam searches share: their options, and hypotheses with confidences."""

import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from speechgru.decode.align import align_tokens
from speechgru.decode.language import SPACE, token_names
from speechgru.decode.lexicon import Lexicon, read_lexicon
from speechgru.decode.n_best import Rescoring, vote
from speechgru.decode.spans import check_log_probs, group_words
from speechgru.interfaces import (
    Alternative,
    Hypothesis,
    InputError,
    Tokenizer,
)
from speechgru.lm.arpa import read_arpa
from speechgru.lm.ngram import BEGIN, END, UNKNOWN, NGramModel
from speechgru.lm.weights import SEARCH_WEIGHTS, read_weights
from speechgru.ranges import BEAM_SIZE, LOG_SCORE, WEIGHT, OptionError, Range, check


@dataclass(frozen=True)
class Found:
    """A text that the search has found.

    Attributes:
        token_ids: of the text.
        score: natural logarithm of the probability of all its paths that were
            kept, plus what the scorer adds.
        is_whole: whether the scorer lets the text end here.
    """

    token_ids: tuple[int, ...]
    score: float
    is_whole: bool


@dataclass(frozen=True)
class Language:
    """What is known of the language, fitted to a model's tokens.

    Attributes:
        lm: of words or of tokens, if there is one.
        is_of_tokens: whether it is one of tokens.
        lexicon: of the words that may be heard; None: any.
    """

    lm: NGramModel | None
    is_of_tokens: bool
    lexicon: Lexicon | None


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
        open_vocabulary: whether words may be heard that are not in the lexicon.

    Attributes:
        name: as in decoder=NAME.
        rescoring: what the best texts are sorted anew by; None: nothing.

    Raises:
        InputError: an option is out of its range.
    """

    name: str

    def __init__(
        self,
        beam_size: int,
        lm: str | None,
        lm_weight: float | None,
        word_score: float | None,
        lexicon: str | None,
        num_best: int,
        beam_threshold: float,
        open_vocabulary: bool = False,
    ) -> None:
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
        self.open_vocabulary = open_vocabulary
        self._asked = {"lm_weight": lm_weight, "word_score": word_score}
        self.rescoring: Rescoring | None = None
        self._fitted: tuple[tuple[str, ...], Language] | None = None
        self.change(**self._find_weights(None), beam_size=beam_size, num_best=num_best)

    @property
    def takes_tuned(self) -> bool:
        """Whether weights are taken that `speechgru tune` has found, if it has."""
        return self.lm_path is not None and None in self._asked.values()

    def hear_through(self, model: str) -> None:
        """Take what was tuned with this acoustic model, unless it was asked for.

        Args:
            model: digest of the acoustic model.

        Raises:
            InputError: see `read_weights`.
        """
        self.change(
            **self._find_weights(model),
            beam_size=self.beam_size,
            num_best=self.num_best,
        )

    def _find_weights(self, model: str | None) -> dict[str, float]:
        """Weights as asked for, as tuned, or as usual."""
        tuned = dict(SEARCH_WEIGHTS)
        if self.lm_path is not None:
            tuned = read_weights(self.lm_path, self.name, SEARCH_WEIGHTS, model)
        self.confidence_scale = tuned.pop("confidence_scale")
        return {
            name: tuned[name] if asked is None else asked
            for name, asked in self._asked.items()
        }

    def change(
        self, lm_weight: float, word_score: float, beam_size: int, num_best: int
    ) -> None:
        """Set other weights and sizes; what was read is kept. Raises InputError."""
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
        self._prepared: tuple[tuple[str, ...], Search] | None = None

    @property
    def weights(self) -> dict[str, float]:
        """What counts how much, be it asked for, tuned or usual."""
        weights = {"word_score": self.word_score}
        if self.lm_path is not None:
            weights |= {"lm_weight": self.lm_weight}
            weights |= {"confidence_scale": self.confidence_scale}
        if self.rescoring is not None:
            weights |= {"rescore_weight": self.rescoring.weight}
        return weights

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
            text. The confidence of a word is the share that texts with this
            word there have in the probability of all texts that were found, as
            it was calibrated with the language model's weights.

        Raises:
            ValueError: see `check_log_probs`.
            InputError: see `fit`.
        """
        check_log_probs(log_probs, output_lengths, len(tokenizer.tokens))
        search = self.fit(tokenizer)
        log_probs = log_probs.detach().to("cpu", torch.float32)
        lengths = output_lengths.cpu()
        return [
            self._describe(
                found, log_probs[index, : lengths[index]], tokenizer, seconds_per_frame
            )
            for index, found in enumerate(search(log_probs, lengths))
        ]

    def fit(self, tokenizer: Tokenizer) -> Search:
        """Get ready for texts of these tokens, unless it is. Raises InputError."""
        with _PREPARING:
            prepared = self._prepared
            if prepared is None or prepared[0] != tokenizer.tokens:
                search = self.prepare(self.read_language(tokenizer), tokenizer)
                self._prepared = prepared = (tokenizer.tokens, search)
            return prepared[1]

    def read_language(self, tokenizer: Tokenizer) -> Language:
        """Read the language model and the lexicon, unless they have been read.

        Raises:
            InputError: they cannot be read, or do not fit the tokens.
        """
        fitted = self._fitted
        if fitted is None or fitted[0] != tokenizer.tokens:
            self._fitted = fitted = (tokenizer.tokens, self._fit_language(tokenizer))
        return fitted[1]

    def _fit_language(self, tokenizer: Tokenizer) -> Language:
        lm = None if self.lm_path is None else NGramModel(read_arpa(self.lm_path))
        of_tokens = lm is not None and is_of_tokens(lm, tokenizer)
        words = None
        if self.lexicon_path is not None:
            words = read_lexicon(self.lexicon_path)
        elif lm is not None and not of_tokens:
            words = [word for word in lm.words if word not in (BEGIN, END, UNKNOWN)]
        lexicon = None
        if words is not None:
            lexicon = Lexicon(words, tokenizer, self.open_vocabulary)
        return Language(lm, of_tokens, lexicon)

    def _describe(
        self,
        found: Sequence[Found],
        log_probs: Tensor,
        tokenizer: Tokenizer,
        seconds_per_frame: float,
    ) -> Hypothesis:
        # Equal texts may differ in needless spaces; the first of them is the best.
        scores: dict[str, float] = {}
        spelled: dict[str, Sequence[int]] = {}
        for one in found:
            token_ids = one.token_ids
            if not one.is_whole:
                token_ids = cut_last_word(token_ids, tokenizer)
            text = " ".join(tokenizer.decode(token_ids).split())
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
            words=tuple(
                replace(word, confidence=share)
                for word, share in zip(
                    group_words(tokens),
                    vote(scores, self.confidence_scale),
                    strict=True,
                )
            ),
            alternatives=tuple(
                Alternative(other, scores[other])
                for other in others[: self.num_best - 1]
            ),
        )


def is_of_tokens(lm: NGramModel, tokenizer: Tokenizer) -> bool:
    """Whether the words of a language model are tokens.

    Raises:
        InputError: they must be, since there is a space among them, but one is not.
    """
    words = set(lm.words) - {BEGIN, END, UNKNOWN}
    foreign = words - set(token_names(tokenizer))
    if foreign and SPACE in words:
        raise InputError(
            f"the language model of tokens holds {min(foreign)!r}, which is not among "
            f"the model's {len(tokenizer.tokens)} tokens; estimate it with the model's "
            "text options by speechgru lm unit=token checkpoint=CHECKPOINT"
        )
    return not foreign and (SPACE in words or " " not in tokenizer.tokens)


def cut_last_word(token_ids: Sequence[int], tokenizer: Tokenizer) -> tuple[int, ...]:
    """Leave out a word that was never finished."""
    begins = [
        place
        for place, token_id in enumerate(token_ids)
        if tokenizer.tokens[token_id].startswith(" ")
    ]
    return tuple(token_ids[: begins[-1]]) if begins else ()
