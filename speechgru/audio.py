"""Audio files, bytes and streams to mono float32 waveforms.

Decoding is soundfile's, whose wheel brings libsndfile: wav, flac, ogg, opus,
mp3, aiff, NIST sph and more.
"""

import math
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import BinaryIO

import numpy as np
import soundfile
import torch
from torch import Tensor

from speechgru.channels import Mixer
from speechgru.files import printable
from speechgru.interfaces import InputError

AudioSource = str | os.PathLike[str] | bytes | BinaryIO

_BLOCK = 1 << 20  # frames decoded at a time: a header's claim allocates nothing
_STREAMED = 0x7FFFF000  # bytes; from here on a size field means "not known yet"


class AudioError(InputError):
    """Audio that cannot be used.

    Attributes:
        kind: one of missing, empty-file, undecodable, truncated, no-samples,
            nan-samples, cancelling-channels, sample-rate, outside-file.
    """

    def __init__(self, kind: str, message: str) -> None:
        # Both, so that it can pass from one process to another.
        super().__init__(kind, message)
        self.kind = kind

    def __str__(self) -> str:
        return self.args[1]


@dataclass(frozen=True)
class AudioInfo:
    """What a header says.

    Attributes:
        sample_rate: Hz.
        num_samples: per channel; an estimate for an MP3 without a Xing tag.
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


def inspect_audio(source: AudioSource) -> AudioInfo:
    """Read a header, decoding nothing.

    Raises:
        AudioError: missing, 0 bytes, not audio, without samples, or shorter
            than its header says (as far as that shows without decoding).
    """
    name = name_audio(source)
    with _open(source, name) as (file, _):
        return AudioInfo(file.samplerate, file.frames, file.channels)


def read_audio(
    source: AudioSource, offset: float = 0.0, duration: float | None = None
) -> tuple[Tensor, int]:
    """Decode to mono at the file's own rate; channels are averaged.

    Args:
        source: path, the bytes of a file, or a binary file object, which is
            read to its end.
        offset: s from the start.
        duration: s; to the end of the file when None.

    Returns:
        (S,) float32, and the sample rate in Hz.

    Raises:
        AudioError: missing, 0 bytes, not audio, truncated, without samples,
            with NaN or infinite samples, with channels that cancel out, or ending
            before offset + duration by more than `duration_tolerance`.
    """
    name = name_audio(source)
    with _open(source, name) as (file, stream):
        rate = file.samplerate
        start = round(offset * rate)
        count = None if duration is None else round(duration * rate)
        if file.format == "MP3":
            # Seeking inside MP3 can be silently wrong: decode whole, slice.
            samples = _decode_mp3(file, stream, name)[start:]
            samples = samples[:count]
        else:
            samples = _decode(file, name, start, count)
    if count is not None:
        missing = (count - len(samples)) / rate
        if missing > duration_tolerance(count / rate):
            raise AudioError(
                "outside-file",
                f"{name}: {offset:g} s + {duration:g} s ends {missing:.3f} s after "
                "the file does; correct offset and duration in the manifest",
            )
    if len(samples) == 0:
        raise AudioError(
            "no-samples",
            f"{name}: no samples at {offset:g} s, expected audio; "
            "correct the manifest or drop the file",
        )
    mixer = Mixer()
    waveform = mixer.average(samples)
    if mixer.cancels:
        raise AudioError("cancelling-channels", f"{name}: {mixer.explain()}")
    num_bad = len(waveform) - int(np.isfinite(waveform).sum())
    if num_bad:
        raise AudioError(
            "nan-samples",
            f"{name}: {num_bad} of {len(waveform)} samples are NaN or infinite, "
            "expected numbers in [-1, 1]; convert it anew from its source",
        )
    return torch.from_numpy(np.ascontiguousarray(waveform)), rate


def load_audio(
    source: AudioSource,
    sample_rate: int,
    resample: bool,
    offset: float = 0.0,
    duration: float | None = None,
) -> Tensor:
    """Decode to mono at the wanted rate.

    Args:
        source, offset, duration: as in `read_audio`.
        sample_rate: wanted, Hz.
        resample: convert another rate; otherwise it is an error.

    Returns:
        (S,) float32 at `sample_rate`.

    Raises:
        AudioError: as `read_audio`, or another rate while not `resample`.
    """
    waveform, rate = read_audio(source, offset, duration)
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


def resample_audio(waveform: Tensor, rate: int, sample_rate: int) -> Tensor:
    """Convert (..., S) from `rate` to `sample_rate` Hz.

    The result has `resampled_length` samples.
    """
    if rate == sample_rate:
        return waveform
    return _resampler(rate, sample_rate)(waveform)


def resampled_length(num_samples: int, rate: int, sample_rate: int) -> int:
    """Samples that `resample_audio` makes of `num_samples`, exactly."""
    divisor = math.gcd(rate, sample_rate)
    return -(-num_samples * (sample_rate // divisor) // (rate // divisor))


def name_audio(source: AudioSource) -> str:
    """What messages call a source: its path where it has one."""
    if isinstance(source, (str, os.PathLike)):
        return printable(os.fsdecode(source))
    name = getattr(source, "name", None)
    return printable(name) if isinstance(name, str) else "audio from memory"


@lru_cache(maxsize=16)
def _resampler(rate: int, sample_rate: int) -> torch.nn.Module:
    try:
        from torchaudio.transforms import Resample
    except (ImportError, OSError) as error:
        raise InputError(
            f"torchaudio cannot be imported ({error}); install the versions of "
            "torch and torchaudio that constraints.txt pins"
        ) from error
    return Resample(rate, sample_rate)


@contextmanager
def _open(
    source: AudioSource, name: str
) -> Iterator[tuple[soundfile.SoundFile, BinaryIO]]:
    """Yield the decoder and the encoded stream under it, both checked."""
    with _open_stream(source, name) as stream:
        if not stream.read(1):
            raise AudioError(
                "empty-file",
                f"{name}: 0 bytes, expected audio; copy the file again or drop it",
            )
        stream.seek(0)
        try:
            file = soundfile.SoundFile(stream)
        except (RuntimeError, TypeError, ValueError) as error:
            raise _undecodable(name, error) from error
        with file:
            _check_header(file, stream, name)
            yield file, stream


def _open_stream(source: AudioSource, name: str) -> BinaryIO:
    if isinstance(source, bytes):
        return BytesIO(source)
    if not isinstance(source, (str, os.PathLike)):
        return BytesIO(source.read())
    try:
        return open(source, "rb")
    except (OSError, ValueError) as error:  # ValueError: a null byte
        reason = getattr(error, "strerror", None) or error
        raise AudioError(
            "missing",
            f"{name}: cannot be opened ({reason}), expected an audio file; "
            "correct the path or drop it",
        ) from error


def _check_header(file: soundfile.SoundFile, stream: BinaryIO, name: str) -> None:
    if file.frames == 0:
        raise AudioError(
            "no-samples",
            f"{name}: a header without samples, expected audio; "
            "record it again or drop it",
        )
    if _is_cut(file, stream):
        raise AudioError(
            "truncated",
            f"{name}: truncated, the file ends before the audio its header "
            "announces does; copy the file again or drop it",
        )


def _is_cut(file: soundfile.SoundFile, stream: BinaryIO) -> bool:
    # libsndfile shortens the frame count of a cut file to what is there. Of
    # most formats its log tells; of NIST and Ogg files the bytes must.
    if file.format == "NIST":
        stated = re.search(rb"sample_count -i (\d+)", _peek(stream, 0, 1024))
        return stated is not None and int(stated[1]) > file.frames
    if file.format == "OGG":
        tail = _peek(stream, -(1 << 17))  # a page has at most 65,307 bytes
        page = tail[max(tail.rfind(b"OggS"), 0) :]
        header_size = 27 + (page[26] if len(page) > 26 else 0)
        return len(page) < header_size + sum(page[27:header_size])
    sizes = re.findall(
        r"^ *(?:data|Data Size|SSND|riff|Riff size) *: (\d+) \(should be (\d+)\)",
        file.extra_info,
        re.MULTILINE,
    )
    return any(int(actual) < int(stated) < _STREAMED for stated, actual in sizes)


def _decode(
    file: soundfile.SoundFile, name: str, start: int = 0, count: int | None = None
) -> np.ndarray:
    """Decode (S, channels) float32; stop early only where the file does."""
    if start >= file.frames:
        return np.empty((0, file.channels), dtype=np.float32)
    available = file.frames - start
    wanted = available if count is None else min(count, available)
    blocks, num_read = [], 0
    try:
        if start:
            file.seek(start)
        while num_read < wanted:
            block = file.read(
                min(_BLOCK, wanted - num_read), dtype="float32", always_2d=True
            )
            if len(block) == 0:
                break
            blocks.append(block)
            num_read += len(block)
    except RuntimeError as error:
        raise AudioError(
            "truncated",
            f"{name}: truncated or damaged, decoding stopped before the end "
            f"({_reason(error)}); copy the file again or drop it",
        ) from error
    if num_read < wanted:
        raise AudioError(
            "truncated",
            f"{name}: truncated, {num_read} of {wanted} samples could be decoded; "
            "copy the file again or drop it",
        )
    return np.concatenate(blocks)


def _decode_mp3(file: soundfile.SoundFile, stream: BinaryIO, name: str) -> np.ndarray:
    """Decode the whole of an MP3.

    Only a Xing, Info or VBRI tag states a length. Without one libsndfile
    guesses it from the first frame and stops there, which loses the end of a
    file of variable bit rate; from a pipe it cannot guess, and reads on.
    """
    encoded = _peek(stream)
    if encoded[:3] == b"ID3":
        tag_size = 10 + sum(b << 7 * i for i, b in enumerate(encoded[9:5:-1]))
        encoded = encoded[tag_size:]
    if any(tag in encoded[:256] for tag in (b"Xing", b"Info", b"VBRI")):
        return _decode(file, name)
    read_end, write_end = os.pipe()

    def feed() -> None:
        try:
            with open(write_end, "wb") as pipe:
                pipe.write(encoded)
        except BrokenPipeError:
            pass  # the decoder has seen enough

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    blocks = []
    try:
        with soundfile.SoundFile(read_end, closefd=False) as endless:
            while len(block := endless.read(_BLOCK, "float32", always_2d=True)):
                blocks.append(block)
    except RuntimeError as error:
        raise _undecodable(name, error) from error
    finally:
        os.close(read_end)
        feeder.join()
    if not blocks:
        raise _undecodable(name, RuntimeError("no frames"))
    return np.concatenate(blocks)


def _peek(stream: BinaryIO, start: int = 0, num_bytes: int = -1) -> bytes:
    """Bytes from `start` (negative: from the end); the position is kept."""
    position = stream.tell()
    size = stream.seek(0, os.SEEK_END)
    stream.seek(start if start >= 0 else max(0, size + start))
    found = stream.read(num_bytes)
    stream.seek(position)
    return found


def _undecodable(name: str, error: Exception) -> AudioError:
    return AudioError(
        "undecodable",
        f"{name}: not decodable as audio ({_reason(error)}), expected wav, flac, "
        "ogg, opus, mp3, aiff or sph; convert it, e.g. by ffmpeg -i IN OUT.wav, or "
        "drop it",
    )


def _reason(error: Exception) -> str:
    text = getattr(error, "error_string", None) or str(error)
    return text.strip().rstrip(".") or "damaged data"
