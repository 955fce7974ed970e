"""The best token of every frame."""

import math
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
        # argmax, unlike max, promises the first of equals on every device.
        weighed = penalize_blank(log_probs, self.blank_penalty)
        best_ids = weighed.argmax(dim=-1, keepdim=True)
        best_log_probs = log_probs.gather(-1, best_ids).squeeze(-1)
        ids_of = best_ids.squeeze(-1).cpu()
        log_probs_of = best_log_probs.to(torch.float32).cpu()
        hypotheses = []
        for index, length in enumerate(output_lengths.tolist()):
            frame_log_probs = log_probs_of[index, :length].tolist()
            frame_ids = ids_of[index, :length].tolist()
            hypotheses.append(
                _collapse(frame_ids, frame_log_probs, tokenizer, seconds_per_frame)
            )
        return hypotheses


def _collapse(
    frame_ids: list[int],
    frame_log_probs: list[float],
    tokenizer: Tokenizer,
    seconds_per_frame: float,
) -> Hypothesis:
    token_ids = [token_id for token_id, _ in groupby(frame_ids) if token_id != BLANK]
    probabilities = [math.exp(value) for value in frame_log_probs]
    spans = place_tokens(frame_ids, probabilities, tokenizer, seconds_per_frame)
    return Hypothesis(
        text=" ".join(tokenizer.decode(token_ids).split()),
        score=math.fsum(frame_log_probs),
        tokens=tuple(spans),
        words=group_words(spans),
    )
