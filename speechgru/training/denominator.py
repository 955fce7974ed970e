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
    blank behind it, which makes a product with the bigram model a frame.

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
        ends = bigrams[:, BLANK]
        follows = bigrams.clone()
        follows[:, BLANK] = 0.0
        # A token that follows itself without a blank between them is one token.
        lasts = 1.0 - follows.diag()
        valid = valid_frames(output_lengths, num_frames, device)
        probs = torch.where(valid[..., None], log_probs, 0.0).exp()
        in_token = log_probs.new_zeros(batch_size, num_tokens)
        state = in_token.clone()  # in a token or in a blank behind it
        state[:, BLANK] = 1.0  # behind the beginning
        states, norms = [], []
        for emitted in probs.unbind(dim=1):
            in_token = torch.addmm(in_token * lasts, state, follows) * emitted
            state = in_token + state * emitted[:, BLANK, None]
            norm = state.sum(dim=1, keepdim=True)
            in_token, state = in_token / norm, state / norm
            states.append(state)
            norms.append(norm)
        items = torch.arange(batch_size, device=device)
        last = torch.stack(states)[output_lengths.to(device) - 1, items]
        heard = torch.where(valid, torch.cat(norms, dim=1), 1.0)
        return heard.log().sum(dim=1) + (last @ ends).log()
