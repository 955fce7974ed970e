"""When known tokens were said: forced alignment."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor
from torchaudio.functional import forced_align

from speechgru.decode.lattice import Lattice
from speechgru.decode.spans import group_words, place_tokens
from speechgru.interfaces import BLANK, Hypothesis, InputError, Span, Tokenizer

LARGEST = 1 << 25
"""States of a lattice that is gone through at once; their sums take 0.13 GB."""


def align_text(
    log_probs: Tensor,
    token_ids: Sequence[int],
    tokenizer: Tokenizer,
    seconds_per_frame: float,
    text: str,
) -> Hypothesis:
    """Find out when a text was said, and how probable it is over all paths.

    Args:
        log_probs, token_ids, tokenizer, seconds_per_frame: see `align_tokens`.
        text: normalised, that the tokens are of.

    Raises:
        InputError: see `align_tokens`.
    """
    tokens = align_tokens(log_probs, token_ids, tokenizer, seconds_per_frame)
    return Hypothesis(
        text=text,
        score=_total(log_probs, token_ids),
        tokens=tuple(tokens),
        words=group_words(tokens, text),
    )


def align_tokens(
    log_probs: Tensor,
    token_ids: Sequence[int],
    tokenizer: Tokenizer,
    seconds_per_frame: float,
) -> list[Span]:
    """Find the most probable place of each token.

    A token begins with the first frame of its run and ends with the last; its
    confidence is its mean probability over the frames of the run.

    Args:
        log_probs: (T, C) float, natural logarithms.
        token_ids: what was said, no blanks.
        tokenizer: with C tokens.
        seconds_per_frame: s.

    Raises:
        InputError: there are too few frames for the tokens, or the tokens are
            impossible.

    Source:
        The Viterbi path through the CTC lattice; "CTC-segmentation of large
        corpora", arXiv:2007.09127, section 2.
    """
    if not token_ids:
        return []
    repeats = sum(a == b for a, b in pairwise(token_ids))
    needed = len(token_ids) + repeats
    if len(log_probs) < needed:
        raise InputError(
            f"{len(token_ids)} tokens cannot align with {len(log_probs)} output "
            f"frames, expected at least {needed}; shorten the text, or use a model "
            "with less subsampling"
        )
    log_probs = log_probs.detach().float().cpu()
    if _num_states(log_probs, token_ids) <= LARGEST:
        [found], _ = forced_align(
            log_probs[None].contiguous(), torch.tensor([token_ids]), blank=BLANK
        )
        path = found.tolist()
    else:
        path = Lattice(log_probs, token_ids).best_path()
    scores = log_probs.gather(1, torch.tensor(path)[:, None])[:, 0]
    return place_tokens(path, scores.exp().tolist(), tokenizer, seconds_per_frame)


def _total(log_probs: Tensor, token_ids: Sequence[int]) -> float:
    """Natural log-probability of a text, over all paths."""
    if _num_states(log_probs, token_ids) > LARGEST:
        return Lattice(log_probs, token_ids).total()
    loss = torch.nn.functional.ctc_loss(
        log_probs,
        torch.tensor(token_ids),
        torch.tensor(len(log_probs)),
        torch.tensor(len(token_ids)),
        blank=BLANK,
        reduction="sum",
    )
    return -loss.item()


def _num_states(log_probs: Tensor, token_ids: Sequence[int]) -> int:
    return len(log_probs) * (2 * len(token_ids) + 1)
