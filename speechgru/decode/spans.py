"""What all decoders share: checked input, and words made of tokens in time.

torch is imported where numbers are checked: texts are written without it.
"""

from __future__ import annotations

import logging
import math
import unicodedata
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from speechgru.interfaces import BLANK, Span, Tokenizer
from speechgru.text.byte_tokens import BROKEN, join_tokens

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)


def check_log_probs(log_probs: Tensor, output_lengths: Tensor, num_tokens: int) -> None:
    """Hold a decoder's input against what every decoder expects.

    Raises:
        ValueError: shapes, lengths or the number of tokens do not agree, or a
            valid frame holds NaN.
    """
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
    import torch

    frames = torch.arange(num_frames, device=log_probs.device)
    valid = frames < output_lengths[:, None].to(log_probs.device)
    for index in (log_probs.isnan().any(-1) & valid).any(-1).nonzero().flatten():
        raise ValueError(
            f"utterance {index} of the batch: log_probs hold NaN, expected "
            "numbers; check the model's weights and the audio"
        )


def place_tokens(
    frame_ids: Sequence[int],
    probabilities: Sequence[float],
    tokenizer: Tokenizer,
    seconds_per_frame: float,
) -> list[Span]:
    """Make a span of each run of a token; blanks stand between, and are left out.

    Args:
        frame_ids: of a path, a token or the blank for each frame.
        probabilities: of these; their mean over a run is its confidence.
        tokenizer: of the tokens.
        seconds_per_frame: s.
    """
    spans = []
    end = 0
    for token_id, run in groupby(frame_ids):
        start, end = end, end + len(list(run))
        if token_id == BLANK:
            continue
        # Rounding can leave a certain token a hair above 1.
        mean = math.fsum(probabilities[start:end]) / (end - start)
        spans.append(
            Span(
                text=tokenizer.tokens[token_id],
                start=start * seconds_per_frame,
                end=end * seconds_per_frame,
                confidence=min(1.0, mean),
            )
        )
    return spans


def group_words(tokens: list[Span], text: str | None = None) -> tuple[Span, ...]:
    """Join the tokens between spaces, which may be part of a token, to words.

    Args:
        tokens: in order of time.
        text: how the words are written; None: as their tokens are.
    """
    groups: list[list[Span]] = [[]]
    for token in tokens:
        if token.text.startswith(" "):
            groups.append([])
        if token.text != " ":
            groups[-1].append(token)
    groups = [members for members in groups if members]
    written = map(_write, groups) if text is None else text.split()
    return tuple(
        Span(
            text=word,
            start=members[0].start,
            end=members[-1].end,
            confidence=geometric_mean([token.confidence for token in members]),
        )
        for members, word in zip(groups, written, strict=True)
    )


def _write(tokens: Sequence[Span]) -> str:
    """The text of tokens, composed as that of the whole is."""
    text = join_tokens(token.text for token in tokens).removeprefix(" ")
    return unicodedata.normalize("NFC", text)


def geometric_mean(probabilities: list[float]) -> float:
    """Average at least one probability on the log scale; 0 if any is 0."""
    if min(probabilities) == 0.0:
        return 0.0
    return math.exp(math.fsum(map(math.log, probabilities)) / len(probabilities))


def average_confidence(tokens: Sequence[Span]) -> float | None:
    """That of a whole text; None if nothing was heard, or nothing but spaces."""
    if not any(token.text.strip() for token in tokens):
        return None
    return geometric_mean([token.confidence for token in tokens])


def warn_of_broken_bytes(name: str, text: str) -> None:
    """Say if a text that was heard holds bytes that are no character."""
    count = text.count(BROKEN)
    if count:
        log.warning(
            "%s: byte tokens that are no character were heard %d times; they are %s",
            name, count, BROKEN,
        )  # fmt: skip
