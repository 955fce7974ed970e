"""Audio files, bytes and streams to mono float32 waveforms."""

import logging
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from speechgru.audio.error import AudioError
from speechgru.audio.layout import find_layout
from speechgru.audio.resample import resample_audio
from speechgru.audio.sound import BLOCK, open_sound
from speechgru.audio.source import AudioSource, name_audio, open_stream

_logger = logging.getLogger(__name__)
_LOUD = 10.0  # samples beyond it are worth a word; a little over 1 is common
_LOUDEST = 2.0**32  # no integers are larger; squares stay far from overflowing


@dataclass(frozen=True)
class AudioInfo:
    """What a file says of itself.

    Attributes:
        sample_rate: Hz.
        num_samples: per channel.
        num_channels: 1 is mono.
    """

    sample_rate: int
    num_samples: int
    num_channels: int

    @property
    def duration(self) -> float:
        """Length in s."""
        return self.num_samples / self.sample_rate


def duration_tolerance(duration: float) -> float:
    """How far, in s, a file may stray from a stated duration: 0.02 s or 1 %."""
    return max(0.02, 0.01 * duration)


def inspect_audio(
    source: AudioSource, offset: float = 0.0, duration: float | None = None
) -> AudioInfo:
    """Find out how long a source is, or the part of it that would be read.

    Nothing is decoded but what FFmpeg opens, where its container does not say how
    many samples it has. Whether a part lies within the file is not looked at.

    Args:
        source, offset, duration: as in `read_audio`.

    Raises:
        AudioError: missing, 0 bytes, not audio, without samples, or truncated
            or damaged, as far as that shows without decoding.
    """
    with open_sound(source, name_audio(source)) as sound:
        rate = sound.sample_rate
        if duration is not None:
            num_samples = round(duration * rate)
        else:
            num_samples = max(0, sound.num_samples - round(offset * rate))
        return AudioInfo(rate, num_samples, sound.num_channels)


def is_cut_exactly(path: str | os.PathLike[str]) -> bool:
    """Whether a part of a file is read without decoding all that is in front of it.

    Of MP3 it is a question, and of what FFmpeg opens; an MP3 that is joined of
    several, or holds other tags between frames, is decoded from its start.

    Raises:
        AudioError: as `inspect_audio`.
    """
    name = name_audio(path)
    with open_stream(path, name) as stream:
        layout = find_layout(stream, name)
    if layout.is_mpeg:
        return layout.index is not None
    with open_sound(path, name) as sound:
        return sound.is_cut_exactly


def read_audio(
    source: AudioSource,
    offset: float = 0.0,
    duration: float | None = None,
    channel: int | None = None,
) -> tuple[Tensor, int]:
    """Decode to mono at the file's own rate.

    Files that are joined end to end (chained Ogg, MP3, WAV and others) are
    read as one. Only what is asked for is decoded, of an MP3 also some frames in
    front of it; except of joined or unusual MP3 and a few formats of telephony, whose
    decoders must begin at the start.

    Args:
        source: path, the bytes of a file, or a binary file object, which is
            read to its end, as a named pipe is.
        offset: s from the start.
        duration: s; to the end of the file when None.
        channel: the one to take, from 0; None: their average.

    Returns:
        (S,) float32, and the sample rate in Hz.

    Raises:
        AudioError: missing, 0 bytes, not audio, truncated, damaged, without
            samples, with samples that are NaN, infinite or far too large, with
            channels that cancel out, without that channel, or ending before
            offset + duration by more than `duration_tolerance`.
    """
    rate = 0
    blocks = []
    whole = read_blocks(source, math.inf, offset, duration, channel)
    for block, rate in whole:  # noqa: B007, for the caller
        blocks.append(block)
    return torch.cat(blocks), rate


def read_blocks(
    source: AudioSource,
    seconds: float,
    offset: float = 0.0,
    duration: float | None = None,
    channel: int | None = None,
) -> Iterator[tuple[Tensor, int]]:
    """Decode to mono block by block, in memory that does not grow with the length.

    Args:
        source, offset, duration, channel: as in `read_audio`.
        seconds: s, of a block at most.

    Returns:
        (S,) float32 of each block in order, with the sample rate in Hz.

    Raises:
        AudioError: as `read_audio`; what only shows at the end of the part, there.
    """
    name = name_audio(source)
    excerpt = None if duration is None else (offset, duration)
    with open_sound(source, name, excerpt) as sound:
        rate = sound.sample_rate
        size = max(1, round(min(seconds * rate, BLOCK)))
        count = None if duration is None else round(duration * rate)
        num_read, peak = 0, 0.0
        for block in sound.blocks(size, round(offset * rate), count, channel):
            num_read += len(block)
            peak = max(peak, _find_peak(block, name))
            yield torch.from_numpy(np.ascontiguousarray(block)), rate
    if peak > _LOUD:
        _logger.warning(
            "%s: samples reach %.3g, expected numbers in [-1, 1]; they are taken as "
            "they are, convert the file if its loudness should not differ",
            name,
            peak,
        )
    missing = 0.0 if count is None else (count - num_read) / rate
    if count is not None and missing > duration_tolerance(count / rate):
        raise AudioError(
            "outside-file",
            f"{name}: {offset:g} s + {duration:g} s ends {missing:.3f} s after "
            "the file does; correct offset and duration in the manifest, or start and "
            "end",
        )
    if not num_read:
        raise AudioError(
            "no-samples",
            f"{name}: no samples at {offset:g} s, expected audio; correct the "
            "manifest, or start, or drop the file",
        )


def load_audio(
    source: AudioSource,
    sample_rate: int,
    resample: bool,
    offset: float = 0.0,
    duration: float | None = None,
    channel: int | None = None,
) -> Tensor:
    """Decode to mono at the wanted rate.

    Args:
        source, offset, duration, channel: as in `read_audio`.
        sample_rate: wanted, Hz.
        resample: convert another rate; otherwise it is an error.

    Returns:
        (S,) float32 at `sample_rate`.

    Raises:
        AudioError: as `read_audio`, or another rate while not `resample`.
    """
    waveform, rate = read_audio(source, offset, duration, channel)
    if rate != sample_rate and not resample:
        raise wrong_sample_rate(source, rate, sample_rate)
    return resample_audio(waveform, rate, sample_rate)


def wrong_sample_rate(source: AudioSource, found: int, expected: int) -> AudioError:
    """The error for audio at another rate (Hz) than the model's."""
    return AudioError(
        "sample-rate",
        f"{name_audio(source)}: sample_rate is {found} Hz, expected {expected}; "
        "resample the corpus or set data.resample=true",
    )


def _find_peak(waveform: np.ndarray, name: str) -> float:
    """The largest sample; only files of floating-point numbers can hold bad ones."""
    peak = float(np.maximum(waveform.max(), -waveform.min()))  # NaN if one is
    if not math.isfinite(peak):
        num_bad = len(waveform) - int(np.isfinite(waveform).sum())
        raise AudioError(
            "nan-samples",
            f"{name}: {num_bad} of {len(waveform)} samples are NaN or infinite, "
            "expected numbers in [-1, 1]; convert it anew from its source",
        )
    if peak > _LOUDEST:
        num_loud = int((np.abs(waveform) > _LOUDEST).sum())
        raise AudioError(
            "out-of-range",
            f"{name}: {num_loud} of {len(waveform)} samples are out of range, the "
            f"largest {peak:.3g}, expected numbers in [-1, 1]; convert it anew from "
            "its source",
        )
    return peak
