"""The best token of every frame."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import torch
from torch import Tensor

from speechgru.decode.blank_penalty import penalize_blank
from speechgru.decode.spans import check_log_probs, group_words, place_tokens
from speechgru.interfaces import BLANK, Hypothesis, Tokenizer
from speechgru.ranges import LOG_SCORE, check


class GreedyDecoder:
    """Take the best token per frame, merge repeats, remove blanks.

    A token begins with the first frame of its run and ends with the last; its
    confidence is the mean probability of the token over the frames of the run.
    A word spans the tokens between two spaces, or from one that begins with a
    space to the next; its confidence is the geometric
    mean of theirs, so that one doubtful token makes the word doubtful whatever
    the word's length. Text without spaces is one word.

    The score of a hypothesis is the sum over its frames of the best natural
    log-probability: that of the path, not of the text. A blank_penalty has a say in
    what is best, but not in scores and confidences.

    Args:
        blank_penalty: subtracted from the blank's natural log-probability.

    Source:
        "Connectionist Temporal Classification", Graves et al., ICML 2006,
        section 3.2, best path decoding.
    """

    name = "greedy"

    def __init__(self, blank_penalty: float = 0.0) -> None:
        check("blank_penalty", blank_penalty, LOG_SCORE)
        self.blank_penalty = blank_penalty

    @property
    def weights(self) -> dict[str, float]:
        """Nothing is weighed."""
        return {}

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
            B hypotheses.

        Raises:
            ValueError: see `check_log_probs`.
        """
        check_log_probs(log_probs, output_lengths, len(tokenizer.tokens))
        ids_of, log_probs_of = self.best(log_probs)
        hypotheses = []
        for index, length in enumerate(output_lengths.tolist()):
            frame_log_probs = log_probs_of[index, :length].tolist()
            frame_ids = ids_of[index, :length].tolist()
            hypotheses.append(
                _collapse(frame_ids, frame_log_probs, tokenizer, seconds_per_frame)
            )
        return hypotheses

    def begin(self, tokenizer: Tokenizer, seconds_per_frame: float) -> "GreedyDecoding":
        """See `StreamingDecoder`."""
        return GreedyDecoding(self, tokenizer, seconds_per_frame)

    def best(self, log_probs: Tensor) -> tuple[Tensor, Tensor]:
        """Give the best token of each frame, and its log-probability, on the host.

        Args:
            log_probs: (..., C) float natural log-probabilities.

        Returns:
            ids: (...) int64.
            log_probs: (...) float32.
        """
        weighed = penalize_blank(log_probs, self.blank_penalty)
        # argmax, unlike max, promises the first of equals on every device.
        ids = weighed.argmax(dim=-1, keepdim=True)
        best = log_probs.gather(-1, ids).squeeze(-1)
        return ids.squeeze(-1).cpu(), best.to(torch.float32).cpu()


@dataclass(frozen=True)
class GreedyDecoding:
    """How far an utterance is decoded; see `interfaces.Decoding`.

    What was heard never changes: each text begins with the one before.

    Attributes:
        decoder: whose best tokens they are.
        tokenizer: of the tokens.
        seconds_per_frame: s.
        frame_ids: the best token of each frame so far.
        log_probs: of these.
    """

    decoder: GreedyDecoder
    tokenizer: Tokenizer
    seconds_per_frame: float
    frame_ids: tuple[int, ...] = ()
    log_probs: tuple[float, ...] = ()

    def advance(self, log_probs: Tensor) -> "GreedyDecoding":
        """See `interfaces.Decoding`."""
        ids, best = self.decoder.best(log_probs)
        return replace(
            self,
            frame_ids=(*self.frame_ids, *ids.tolist()),
            log_probs=(*self.log_probs, *best.tolist()),
        )

    @property
    def text(self) -> str:
        """See `interfaces.Decoding`."""
        return _spell(self.frame_ids, self.tokenizer)

    def finish(self) -> Hypothesis:
        """See `interfaces.Decoding`."""
        return _collapse(
            self.frame_ids, self.log_probs, self.tokenizer, self.seconds_per_frame
        )


def _spell(frame_ids: Sequence[int], tokenizer: Tokenizer) -> str:
    token_ids = [token_id for token_id, _ in groupby(frame_ids) if token_id != BLANK]
    return " ".join(tokenizer.decode(token_ids).split())


def _collapse(
    frame_ids: Sequence[int],
    frame_log_probs: Sequence[float],
    tokenizer: Tokenizer,
    seconds_per_frame: float,
) -> Hypothesis:
    probabilities = [math.exp(value) for value in frame_log_probs]
    spans = place_tokens(frame_ids, probabilities, tokenizer, seconds_per_frame)
    text = _spell(frame_ids, tokenizer)
    return Hypothesis(
        text=text,
        score=math.fsum(frame_log_probs),
        tokens=tuple(spans),
        words=group_words(spans, text),
    )
