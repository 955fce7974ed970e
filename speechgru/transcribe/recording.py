"""What can be transcribed: files, streams and waveforms, each with a name."""

import os
from dataclasses import dataclass
from io import BytesIO

import torch
from torch import Tensor

from speechgru.audio import AudioSource
from speechgru.interfaces import InputError

NAMELESS = "-"
"""Name of a source that is no file: bytes, standard input, a waveform."""


def name_source(source: AudioSource) -> str:
    """The path of a source, or "-" where it has none."""
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    name = getattr(source, "name", None)
    # Standard input calls itself <stdin>; a pipe's name is a number.
    return name if isinstance(name, str) and not name.startswith("<") else NAMELESS


class _Stream(BytesIO):
    """Bytes whose name the error messages can tell."""

    name: str


@dataclass(frozen=True)
class Recording:
    """A source that can be opened again; a stream is read but once."""

    name: str
    content: str | bytes

    @classmethod
    def of(cls, source: AudioSource) -> "Recording":
        if isinstance(source, (str, os.PathLike)):
            return cls(name_source(source), os.fspath(source))
        content = source if isinstance(source, bytes) else source.read()
        return cls(name_source(source), content)

    def open(self) -> AudioSource:
        if isinstance(self.content, str):
            return self.content
        stream = _Stream(self.content)
        stream.name = self.name
        return stream


def check_waveform(waveform: Tensor, sample_rate: int | None) -> Tensor:
    """Bring a waveform to the form that files are decoded to."""
    if sample_rate is None or sample_rate < 1:
        raise InputError(
            f"waveform: sample_rate is {sample_rate}, expected Hz; pass sample_rate="
        )
    if not waveform.is_floating_point() or waveform.dim() not in (1, 2):
        raise InputError(
            f"waveform: {waveform.dtype} of shape {tuple(waveform.shape)}, expected "
            "floats in [-1, 1], (samples,) or (channels, samples); convert it"
        )
    waveform = waveform.detach().to("cpu", torch.float32)
    if waveform.dim() == 2:
        waveform = waveform.mean(dim=0)
    if not waveform.isfinite().all():
        raise InputError(
            "waveform: holds NaN or infinite samples, expected numbers in [-1, 1]; "
            "convert it anew from its source"
        )
    return waveform
