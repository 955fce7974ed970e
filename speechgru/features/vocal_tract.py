"""Utterances as longer and shorter vocal tracts would say them."""

import torch
from torch import Tensor

SCALED = 0.6
"""Of half the sample rate: below, frequencies are scaled; 4.8 kHz of 8 in the paper."""


def warp_spectra(factors: Tensor, num_bins: int) -> Tensor:
    """Matrices that scale the frequencies of spectra, each by its factor.

    What was at a frequency f is then at f times the factor, up to near `SCALED` of
    the highest; above, it is moved so that the highest frequency stays where it is.
    Between two bins, linearly interpolated.

    Args:
        factors: (B,) float, above 0.
        num_bins: K, of a spectrum, from 0 to half the sample rate.

    Returns:
        (B, K, K) float32: what each bin, a row, gives to each bin of the warped
        spectrum. Of a factor of 1 it is the identity.

    Source:
        Jaitly and Hinton, "Vocal Tract Length Perturbation (VTLP) improves speech
        recognition", ICML workshop 2013, equation (1), here the other way about:
        for a bin of the warped spectrum, where it comes from.
    """
    top = num_bins - 1
    bins = torch.arange(num_bins, device=factors.device, dtype=torch.float32)
    factors = factors.float()[:, None]
    # Where scaling ends: before it, and behind it.
    target = SCALED * top * factors.clamp(max=1)
    source = target / factors
    above = top - (top - bins) * (top - source) / (top - target)
    sources = torch.where(bins <= target, bins / factors, above)
    return (1 - (sources[:, None] - bins[:, None]).abs()).clamp(min=0)
