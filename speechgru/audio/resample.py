"""From one sample rate to another.

The filter is torchaudio's default: a sinc of 6 zero crossings to either side,
cut off at 0.99 of the lower Nyquist frequency, under a squared cosine.
torchaudio tabulates it for every position that an output sample can have
between input samples. Rates without a large common divisor have as many
positions as the new rate has Hz, and the table needs gigabytes; then the
filter is evaluated anew at each output sample.
"""

import copy
import math
from functools import lru_cache

import torch
from torch import Tensor

from speechgru.blocks import Windows
from speechgru.interfaces import InputError

SAMPLE_RATES = range(1_000, 1_000_001)
"""Rates, in Hz, that sound may have."""

_LARGEST_TABLE = 1 << 22  # elements: 0.15 GB while torchaudio makes it
_NUM_ZEROS = 6
_ROLLOFF = 0.99
_BLOCK = 1 << 20  # filter weights at a time


def resample_audio(waveform: Tensor, rate: int, sample_rate: int) -> Tensor:
    """Convert (..., S) from `rate` to `sample_rate` Hz.

    The result has `resampled_length` samples.

    Raises:
        InputError: a rate that no sound has.
    """
    if rate == sample_rate:
        return waveform
    if rate not in SAMPLE_RATES:
        raise InputError(
            f"sample_rate is {rate} Hz, expected {SAMPLE_RATES.start} to "
            f"{SAMPLE_RATES.stop - 1}; give the rate that the audio has"
        )
    if not waveform.size(-1):
        return waveform
    divisor = math.gcd(rate, sample_rate)
    old, new = rate // divisor, sample_rate // divisor
    if new * (old + 2 * _reach(old, new)) <= _LARGEST_TABLE:
        return _resampler(rate, sample_rate)(waveform)
    return _resample_by_sample(waveform, old, new)


def resampled_length(num_samples: int, rate: int, sample_rate: int) -> int:
    """Samples that `resample_audio` makes of `num_samples`, exactly."""
    divisor = math.gcd(rate, sample_rate)
    return -(-num_samples * (sample_rate // divisor) // (rate // divisor))


class Resampling:
    """`resample_audio` block by block; see `blocks.BlockStream`.

    Args:
        rate: Hz, of (B, S) waveforms that enter.
        sample_rate: Hz, of those that leave.
    """

    def __init__(self, rate: int, sample_rate: int) -> None:
        self._rates = rate, sample_rate
        divisor = math.gcd(rate, sample_rate)
        self._old, self._new = rate // divisor, sample_rate // divisor
        reach = _reach(self._old, self._new) if rate != sample_rate else 0
        # Whole periods of the filter surround each block, so that it begins anew.
        self._periods = -(-reach // self._old)
        around = self._periods * self._old
        self._windows = Windows(
            self._resample, self._old + 2 * around, self._old, around,
            around + self._old - 1,
        )  # fmt: skip
        self._num_in = self._num_out = 0

    def push(self, block: Tensor) -> Tensor | None:
        """See `BlockStream`."""
        self._num_in += block.size(1)
        resampled = self._windows.push(block)
        self._num_out += 0 if resampled is None else resampled.size(1)
        return resampled

    def finish(self) -> Tensor | None:
        """See `BlockStream`."""
        left = resampled_length(self._num_in, *self._rates) - self._num_out
        resampled = self._windows.finish()
        return None if resampled is None or not left else resampled[:, :left]

    def copy(self) -> "Resampling":
        """See `BlockStream`."""
        other = copy.copy(self)
        other._windows = self._windows.copy()
        return other

    def _resample(self, surrounded: Tensor) -> Tensor:
        count = surrounded.size(1) // self._old - 2 * self._periods
        start = self._periods * self._new
        resampled = resample_audio(surrounded, *self._rates)
        return resampled[:, start : start + count * self._new]


def _reach(old: int, new: int) -> int:
    """Input samples to either side of an output sample that count in it."""
    return math.ceil(_NUM_ZEROS * old / (min(old, new) * _ROLLOFF))


@lru_cache(maxsize=16)
def _resampler(rate: int, sample_rate: int) -> torch.nn.Module:
    try:
        from torchaudio.transforms import Resample
    except (ImportError, OSError) as error:
        raise InputError(
            f"torchaudio cannot be imported ({error}); install the versions of "
            "torch and torchaudio that constraints.txt pins"
        ) from error
    return Resample(
        rate, sample_rate, lowpass_filter_width=_NUM_ZEROS, rolloff=_ROLLOFF
    )


def _resample_by_sample(waveform: Tensor, old: int, new: int) -> Tensor:
    """Convert (..., S) to (..., ceil(S * new / old)), for coprime rates."""
    reach = _reach(old, new)
    cutoff = min(old, new) * _ROLLOFF / old  # per input sample
    padded = torch.nn.functional.pad(waveform, (reach, reach + 1))
    taps = torch.arange(2 * reach + 1)  # input samples from -reach on
    blocks = []
    num_outputs = resampled_length(waveform.size(-1), old, new)
    for outputs in torch.arange(num_outputs).split(max(1, _BLOCK // len(taps))):
        before = outputs * old // new  # the input sample at or before each
        fraction = (outputs * old % new).double() / new
        distance = taps - reach - fraction[:, None]
        phase = (distance * cutoff).clamp(-_NUM_ZEROS, _NUM_ZEROS)
        window = torch.cos(phase * (math.pi / 2 / _NUM_ZEROS)) ** 2
        weights = (torch.sinc(phase) * window * cutoff).to(waveform.dtype)
        heard = padded[..., before[:, None] + taps]
        blocks.append((heard * weights).sum(dim=-1))
    return torch.cat(blocks, dim=-1) if blocks else waveform.new_empty(0)
