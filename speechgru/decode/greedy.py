"""The best token of every frame."""

import math
from collections.abc import Sequence
from itertools import groupby

import torch
from torch import Tensor

from speechgru.interfaces import BLANK, Hypothesis, Span, Tokenizer


class GreedyDecoder:
    """Take the best token per frame, merge repeats, remove blanks.

    A token begins with the first frame of its run and ends with the last; its
    confidence is the mean probability of the token over the frames of the run.
    A word spans the tokens between two spaces, or from one that begins with a
    space to the next; its confidence is the geometric
    mean of theirs, so that one doubtful token makes the word doubtful whatever
    the word's length. Text without spaces is one word.

    The score of a hypothesis is the sum over its frames of the best natural
    log-probability: that of the path, not of the text.

    Source:
        "Connectionist Temporal Classification", Graves et al., ICML 2006,
        section 3.2, best path decoding.
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
            B hypotheses.

        Raises:
            ValueError: shapes, lengths or the number of tokens do not agree, or
                a valid frame holds NaN.
        """
        _check_shapes(log_probs, output_lengths, len(tokenizer.tokens))
        # argmax, unlike max, promises the first of equals on every device.
        best_ids = log_probs.argmax(dim=-1, keepdim=True)
        best_log_probs = log_probs.gather(-1, best_ids).squeeze(-1)
        ids_of = best_ids.squeeze(-1).cpu()
        log_probs_of = best_log_probs.to(torch.float32).cpu()
        hypotheses = []
        for index, length in enumerate(output_lengths.tolist()):
            frame_log_probs = log_probs_of[index, :length].tolist()
            if any(map(math.isnan, frame_log_probs)):
                raise ValueError(
                    f"utterance {index} of the batch: log_probs hold NaN, expected "
                    "numbers; check the model's weights and the audio"
                )
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
    token_ids, spans = [], []
    end = 0
    for token_id, run in groupby(frame_ids):
        start, end = end, end + len(list(run))
        if token_id == BLANK:
            continue
        probabilities = [math.exp(value) for value in frame_log_probs[start:end]]
        token_ids.append(token_id)
        spans.append(
            Span(
                text=tokenizer.tokens[token_id],
                start=start * seconds_per_frame,
                end=end * seconds_per_frame,
                # Rounding can leave a certain token a hair above 1.
                confidence=min(1.0, math.fsum(probabilities) / len(probabilities)),
            )
        )
    return Hypothesis(
        text=" ".join(tokenizer.decode(token_ids).split()),
        score=math.fsum(frame_log_probs),
        tokens=tuple(spans),
        words=group_words(spans),
    )


def group_words(tokens: list[Span]) -> tuple[Span, ...]:
    """Join the tokens between spaces, which may be part of a token, to words."""
    groups: list[list[Span]] = [[]]
    for token in tokens:
        if token.text.startswith(" "):
            groups.append([])
        if token.text != " ":
            groups[-1].append(token)
    return tuple(
        Span(
            text="".join(token.text for token in members).removeprefix(" "),
            start=members[0].start,
            end=members[-1].end,
            confidence=geometric_mean([token.confidence for token in members]),
        )
        for members in filter(None, groups)
    )


def geometric_mean(probabilities: list[float]) -> float:
    """Average at least one probability on the log scale; 0 if any is 0."""
    if min(probabilities) == 0.0:
        return 0.0
    return math.exp(math.fsum(map(math.log, probabilities)) / len(probabilities))


def average_confidence(tokens: Sequence[Span]) -> float | None:
    """That of a whole text; None if no token was heard."""
    return geometric_mean([token.confidence for token in tokens]) if tokens else None


def _check_shapes(log_probs: Tensor, output_lengths: Tensor, num_tokens: int) -> None:
    if log_probs.dim() != 3 or not log_probs.is_floating_point():
        raise ValueError(
            f"log_probs are {log_probs.dtype} of shape {tuple(log_probs.shape)}, "
            "expected floats (utterances, frames, tokens)"
        )
    num_utterances, num_frames, num_classes = log_probs.shape
    if num_classes != num_tokens:
        raise ValueError(
            f"log_probs score {num_classes} tokens but the tokenizer has {num_tokens}; "
            "use the tokenizer that the model was trained with"
        )
    if output_lengths.shape != (num_utterances,) or output_lengths.is_floating_point():
        raise ValueError(
            f"output_lengths are {output_lengths.dtype} of shape "
            f"{tuple(output_lengths.shape)}, expected integers ({num_utterances},)"
        )
    outside = (output_lengths < 0) | (output_lengths > num_frames)
    if outside.any():
        raise ValueError(
            f"output_lengths span {output_lengths.min()} to {output_lengths.max()} "
            f"frames, expected 0 to {num_frames}"
        )
