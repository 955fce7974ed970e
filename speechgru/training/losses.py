"""What training makes small, for each utterance."""

import torch
import torch.nn.functional as F
from torch import Tensor

from speechgru.features.padding import valid_frames
from speechgru.interfaces import BLANK, Batch
from speechgru.training.denominator import denominator_scores
from speechgru.training.token_bigrams import TokenBigrams


def ctc_losses(log_probs: Tensor, output_lengths: Tensor, batch: Batch) -> Tensor:
    """Negative log-likelihood of each transcript.

    On a GPU torch adds up its gradient in any order; where the same order is asked
    for, the host computes it.

    Args:
        log_probs: (B, T, C) float32, natural log.
        output_lengths: (B,) int64, frames.
        batch: has the targets.

    Returns:
        (B,) float32, natural log units; inf where no alignment exists.

    Source:
        Graves et al., "Connectionist Temporal Classification", ICML 2006.
    """
    device, targets = log_probs.device, batch.targets
    if torch.are_deterministic_algorithms_enabled():
        log_probs, targets = log_probs.cpu(), targets.cpu()
    losses = F.ctc_loss(
        log_probs.transpose(0, 1),
        targets,
        output_lengths,
        batch.target_lengths,
        blank=BLANK,
        reduction="none",
    )
    return losses.to(device)


def prior_losses(
    log_probs: Tensor,
    output_lengths: Tensor,
    batch: Batch,
    log_priors: Tensor,
    scale: float,
) -> Tensor:
    """CTC losses in which a token counts the less, the more often it is heard.

    The negative logarithm of the sum, over all paths of a transcript, of the
    probabilities of their tokens, each divided by its prior to the power of the scale.
    Blanks are heard often: paths on which tokens last longer are preferred.

    Args:
        log_probs, output_lengths, batch: see `ctc_losses`.
        log_priors: (C,) natural log.
        scale: 0 is CTC.

    Returns:
        (B,) natural log units, which may be below 0.

    Source:
        "Less peaky and more accurate CTC forced alignment by label priors",
        arXiv:2406.02560.
    """
    divided = log_probs - scale * log_priors
    # Torch's gradient is that of probabilities which add up to 1 in each frame; what
    # they have more is the same for all paths.
    norms = divided.logsumexp(dim=2)
    losses = ctc_losses(divided - norms[..., None], output_lengths, batch)
    return losses - _sum_over_frames(norms, output_lengths)


def competition_losses(
    log_probs: Tensor, output_lengths: Tensor, batch: Batch, bigrams: TokenBigrams
) -> Tensor:
    """How much all that could have been said outweighs what was said.

    Added to `ctc_losses`, they make the negative log-probability of each transcript
    among all sequences of tokens: maximum mutual information.

    Args:
        log_probs, output_lengths, batch: see `ctc_losses`.
        bigrams: which sequences of tokens there are, and how often.

    Returns:
        (B,) natural log units, which may be below 0.

    Source:
        See `denominator_scores`.
    """
    everything = denominator_scores(log_probs, output_lengths, bigrams.log_probs)
    return everything - bigrams.score(batch)


def consistency_losses(log_probs: Tensor, output_lengths: Tensor) -> Tensor:
    """How far two views of an utterance are from each other.

    The divergence of each view from the other, which is taken as it is, summed
    over frames.

    Args:
        log_probs: (2 x B, T, C) natural log; the second views follow the first.
        output_lengths: (2 x B,) int64, frames; those of both views are equal.

    Returns:
        (2 x B,) natural log units.

    Source:
        "CR-CTC: Consistency regularization on CTC", arXiv:2410.05101, (4).
    """
    other = log_probs.detach().roll(len(log_probs) // 2, dims=0)
    divergence = F.kl_div(log_probs, other, reduction="none", log_target=True)
    return _sum_over_frames(divergence.sum(dim=2), output_lengths)


def smoothing_losses(log_probs: Tensor, output_lengths: Tensor) -> Tensor:
    """How far a model is from leaving all tokens possible.

    The divergence of its output from the uniform distribution, summed over
    frames, less what no model can change.

    Args:
        log_probs: (B, T, C) natural log.
        output_lengths: (B,) int64, frames.

    Returns:
        (B,) natural log units.

    Source:
        Kim et al., "Improved training for online end-to-end speech recognition
        systems", arXiv:1711.02212.
    """
    return _sum_over_frames(-log_probs.mean(dim=2), output_lengths)


def _sum_over_frames(values: Tensor, lengths: Tensor) -> Tensor:
    """Add up (B, T) within each length."""
    valid = valid_frames(lengths, values.size(1), values.device)
    return torch.where(valid, values, 0.0).sum(dim=1)
