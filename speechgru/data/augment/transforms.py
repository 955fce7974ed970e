"""Long Fourier transforms and convolutions, by short ones.

A transform of more than some 30,000 numbers leaves the processor's cache, and costs up
to ten times as much for each of them. All lengths here are powers of two: others cost
more, those with large prime factors many times as much.
"""

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import pad

_SHORT = 1 << 14
"""Points of a transform that stays in the cache."""

_MOST_ROWS = 32
"""Short transforms that make up one long one; beyond it those are longer."""


def power_of_two(least: int) -> int:
    """The lowest power of two that is no less."""
    return 1 << max(least - 1, 0).bit_length()


def convolve(waveform: Tensor, response: Tensor, direct: int = 0) -> Tensor:
    """Convolve a waveform (S,) with a response (R,), by overlapping blocks.

    Returns:
        (S,), those samples of the convolution that begin at `direct`, in [0, R).

    Source:
        "overlap-save": Oppenheim and Schafer, Discrete-Time Signal Processing,
        section 8.7.3.
    """
    reach = len(response) - 1
    size = max(_SHORT // 2, power_of_two(2 * reach))
    size = min(size, power_of_two(len(waveform) + reach))
    step = size - reach
    num_blocks = -(-len(waveform) // step)
    behind = num_blocks * step - len(waveform)
    padded = pad(waveform, (reach - direct, behind + direct))
    # The response among the blocks: a call costs as much as several transforms.
    rows = torch.cat([padded.unfold(0, size, step), pad(response, (0, step - 1))[None]])
    spectra = torch.fft.rfft(rows)
    spectra[:-1] *= spectra[-1]
    # The first of each block have come around from its end.
    heard = torch.fft.irfft(spectra[:-1], size)[:, reach:]
    return heard.reshape(-1)[: len(waveform)]


def inverse_transform(spectrum: Tensor) -> Tensor:
    """What `torch.fft.irfft` makes of a spectrum (L / 2 + 1,), L a power of two.

    Every M-th sample of the result, for each of M positions, has a spectrum that is a
    sum of M shifted ones, so that M transforms of L / M points are enough.

    Returns:
        (L,) float.

    Source:
        "decimation in time": Cooley and Tukey, "An algorithm for the machine
        calculation of complex Fourier series", Mathematics of Computation 19, 1965.
    """
    length = 2 * (len(spectrum) - 1)
    num_rows = min(length // _SHORT, _MOST_ROWS)
    if num_rows < 2:
        return torch.fft.irfft(spectrum, length)
    size = length // num_rows
    count = size // 2 + 1
    sums, turns = _rotations(length, num_rows)
    # The upper half of a real signal's spectrum is the lower, reversed and conjugate.
    lower = spectrum[:-1].view(-1, size)[:, :count]
    upper = spectrum[1:].view(-1, size)[:, size - count :].flip(0, 1).conj()
    spectra = sums @ torch.cat([lower, upper])
    spectra *= turns
    return torch.fft.irfft(spectra, size).T.reshape(-1)


@lru_cache(8)
def _rotations(length: int, num_rows: int) -> tuple[Tensor, Tensor]:
    """(M, M) for the sums, and (M, L / 2M + 1) for the shifts by so many samples."""
    row = torch.arange(num_rows, dtype=torch.float64)
    frequency = torch.arange(length // num_rows // 2 + 1, dtype=torch.float64)
    sums = _rotate(torch.outer(row, row) / num_rows)
    turns = _rotate(torch.outer(row, frequency) / length) / num_rows
    return sums.to(torch.complex64), turns.to(torch.complex64)


def _rotate(turns: Tensor) -> Tensor:
    return torch.polar(torch.ones_like(turns), 2 * math.pi * turns)
