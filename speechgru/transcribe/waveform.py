"""Waveforms as other libraries give them, brought to the form of decoded files."""

import logging
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import Tensor

from speechgru.audio.channels import Mixer
from speechgru.interfaces import InputError

log = logging.getLogger(__name__)

Waveform = Tensor | np.ndarray | Sequence[float]

MAX_CHANNELS = 64
"""An axis that is longer holds samples: these last less than a frame."""

LOUDEST = 100.0
"""Where full scale is 1, nothing is so loud; integers made floats are louder."""

_SCALES = {
    torch.uint8: (128.0, 128.0),
    torch.int8: (0.0, 128.0),
    torch.int16: (0.0, 2.0**15),
    torch.int32: (0.0, 2.0**31),
}
"""Silence and full scale of the integers that audio is stored in."""

_EXPECTED = "floats in [-1, 1], or 8-, 16- or 32-bit integers"


def to_waveform(
    content: Any, sample_rate: int | None, channel: int | None = None
) -> Tensor:
    """Bring a waveform to the form that files are decoded to.

    Integers are scaled by the range of their type. Of two axes the one of up to
    64 is that of the channels, which are averaged unless one is chosen.

    Args:
        content: a tensor, an array or what NumPy makes one of: (samples,),
            (channels, samples) or (samples, channels).
        sample_rate: Hz.
        channel: the one to take, from 0; None: their average.

    Returns:
        (S,) float32, mono, on the CPU.

    Raises:
        InputError: names the type, the shape, the rate or the values that
            cannot be understood.
    """
    check_sample_rate(sample_rate)
    waveform = _to_tensor(content)
    found = f"{str(waveform.dtype).removeprefix('torch.')} of shape "
    found += str(tuple(waveform.shape))
    if waveform.dtype in _SCALES:
        silence, full_scale = _SCALES[waveform.dtype]
        waveform = (waveform.to(torch.float64) - silence) / full_scale
        has_32_bits = full_scale == 2.0**31 and waveform.numel()
        if has_32_bits and 0 < waveform.abs().max() <= 2.0**-8:
            log.warning(
                "waveform: %s whose samples use 24 bits at most; if they are of 24 "
                "bits, shift them to the left by 8, or they are too quiet",
                found,
            )
    elif not waveform.is_floating_point():
        raise InputError(
            f"waveform: {found}, expected {_EXPECTED}, whose scale is known; convert it"
        )
    waveform = _mix(waveform.to(torch.float32), found, channel)
    if not waveform.isfinite().all():
        raise InputError(
            "waveform: holds NaN or infinite samples, expected numbers in [-1, 1]; "
            "convert it anew from its source"
        )
    loudest = waveform.abs().max().item() if len(waveform) else 0.0
    if loudest > LOUDEST:
        raise InputError(
            f"waveform: samples reach {loudest:.4g}, expected floats in [-1, 1]; "
            "divide them by the full scale of their source, 32768 for 16 bits"
        )
    return waveform


def check_sample_rate(sample_rate: Any) -> None:
    """Raise InputError unless it is a whole number of Hz, at least 1."""
    is_number = isinstance(sample_rate, Real) and not isinstance(sample_rate, bool)
    if not is_number or not sample_rate >= 1 or sample_rate % 1:
        raise InputError(
            f"waveform: sample_rate is {sample_rate!r}, expected Hz; pass sample_rate="
        )


def _to_tensor(content: Any) -> Tensor:
    if isinstance(content, Tensor):
        return content.detach().cpu()
    try:
        array = np.asarray(content)
        # Torch takes neither steps backwards nor the other order of bytes.
        return torch.from_numpy(
            np.array(array, array.dtype.newbyteorder("="), order="C")
        )
    except (TypeError, ValueError) as error:
        raise InputError(
            f"waveform: a {type(content).__name__} that is no array of numbers "
            f"({error}), expected {_EXPECTED}; convert it, and pass its rate as "
            "sample_rate="
        ) from error


def _mix(waveform: Tensor, found: str, channel: int | None) -> Tensor:
    """Average the channels of (S,), (C, S) or (S, C), or take one."""
    mixer = Mixer(channel)
    if waveform.dim() == 1:
        mixer.check(1, "waveform")
        return waveform
    if waveform.dim() == 2:
        short, long = sorted(waveform.shape)
        if short == 1 or short <= MAX_CHANNELS < long:
            rows = waveform.shape[0] == long
            samples = (waveform if rows else waveform.T).numpy()
            mixer.check(samples.shape[1], "waveform")
            mixed = mixer.mix(samples)
            mixer.refuse_cancelling("waveform")
            return torch.from_numpy(np.ascontiguousarray(mixed))
    raise InputError(
        f"waveform: {found}, expected (samples,), (channels, samples) or (samples, "
        f"channels) with up to {MAX_CHANNELS} channels and more samples; reshape it, "
        "or give each recording by itself"
    )
