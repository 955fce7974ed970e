"""What all that could have been said scores, beside what was said."""

import torch
from torch import Tensor

from speechgru.features.padding import valid_frames
from speechgru.interfaces import BLANK


def denominator_scores(
    log_probs: Tensor, output_lengths: Tensor, log_bigrams: Tensor
) -> Tensor:
    """Sum over all paths of all token sequences, weighted by a bigram model.

    CTC sums over the paths of one transcript; this is the same sum over the paths of
    all transcripts. A path is in one of two states of each token, in the token or in a
    blank behind it, which makes one product of matrices a frame.

    Args:
        log_probs: (B, T, C) float32, natural log.
        output_lengths: (B,) int64, frames, each in [1, T], on the host.
        log_bigrams: (C, C) natural log, of a token (column) behind another (row); the
            blank stands for the beginning as a row, for the end as a column.

    Returns:
        (B,) natural log.

    Source:
        Povey et al., "Purely sequence-trained neural networks for ASR based on
        lattice-free MMI", Interspeech 2016; with the paths of CTC: Xiang and Ou,
        "CRF-based single-stage acoustic modeling with CTC topology", ICASSP 2019.
    """
    batch_size, num_frames, num_tokens = log_probs.shape
    device = log_probs.device
    with torch.autocast(device.type, enabled=False):  # small numbers add up
        bigrams = log_bigrams.exp()
        transitions = _transitions(bigrams)
        valid = valid_frames(output_lengths, num_frames, device)
        tokens = torch.where(valid[..., None], log_probs, 0.0).exp()
        blanks = tokens[..., BLANK, None].expand_as(tokens)
        state = log_probs.new_zeros(batch_size, 2 * num_tokens)
        state[:, num_tokens + BLANK] = 1.0  # in a blank behind the beginning
        states, norms = [], []
        for emitted in torch.cat([tokens, blanks], dim=2).unbind(dim=1):
            state = (state @ transitions) * emitted
            norm = state.sum(dim=1, keepdim=True)
            state = state / norm
            states.append(state)
            norms.append(norm)
        items = torch.arange(batch_size, device=device)
        last = torch.stack(states)[output_lengths.to(device) - 1, items]
        ends = last @ bigrams[:, BLANK].repeat(2)
        heard = torch.where(valid, torch.cat(norms, dim=1), 1.0)
        return heard.log().sum(dim=1) + ends.log()


def _transitions(bigrams: Tensor) -> Tensor:
    """(2 C, 2 C) from the states of a frame to those of the next: tokens, blanks."""
    to_token = bigrams.clone()
    to_token[:, BLANK] = 0.0
    stay = torch.eye(len(bigrams), device=bigrams.device)
    # A token that follows itself without a blank between them is one token.
    from_token = to_token - to_token.diag().diag() + stay
    return torch.cat(
        [torch.cat([from_token, stay], dim=1), torch.cat([to_token, stay], dim=1)]
    )
