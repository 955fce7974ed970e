"""What can be transcribed: files, streams and waveforms, each with a name."""

import errno
import os
import stat
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from io import BytesIO
from typing import Any

from torch import Tensor

from speechgru.audio import (
    AudioInfo,
    AudioSource,
    duration_tolerance,
    inspect_audio,
    load_audio,
    read_blocks,
    resample_audio,
)
from speechgru.bounded import read_stream
from speechgru.interfaces import InputError
from speechgru.transcribe.excerpt import Excerpt
from speechgru.transcribe.transcript import NAMELESS, Transcript
from speechgru.transcribe.waveform import Waveform, to_waveform

Source = AudioSource | bytearray | memoryview | Waveform | Excerpt

_WHOLE = Excerpt(NAMELESS)
_PATH = (str, os.PathLike)
_ENCODED = (bytes, bytearray, memoryview)


def name_source(source: Source) -> str:
    """The path of a source, or "-" where it has none."""
    if isinstance(source, Excerpt):
        return name_source(source.source)
    if isinstance(source, _PATH):
        return os.fsdecode(source)
    name = getattr(source, "name", None)
    # Standard input calls itself <stdin>; a pipe's name is a number.
    return name if isinstance(name, str) and not name.startswith("<") else NAMELESS


def check_several(sources: Iterable[Source]) -> None:
    """Refuse one recording where several are expected: a path is no list of letters.

    Raises:
        InputError: names what was found.
    """
    one = isinstance(sources, (*_PATH, *_ENCODED, Tensor, array, Excerpt))
    if one or hasattr(sources, "read") or hasattr(sources, "__array__"):
        found = repr(sources) if isinstance(sources, _PATH) else type(sources).__name__
        raise InputError(
            f"sources is {found}, one recording, expected several; give a list of "
            "them, or call transcribe for one"
        )


def is_waveform(source: Any) -> bool:
    """Whether a source is a waveform, or NumPy might make one of it."""
    if isinstance(source, Excerpt):
        return is_waveform(source.source)
    arrays = (Tensor, list, tuple, array)
    return isinstance(source, arrays) or hasattr(source, "__array__")


class _Stream(BytesIO):
    """Bytes whose name the error messages can tell."""

    name: str


@dataclass(frozen=True)
class Recording:
    """A source that can be opened again; a stream is read but once.

    Attributes:
        name: see `name_source`.
        content: the path of a file, what a file holds, or a mono waveform.
        sample_rate: Hz, of a waveform.
        excerpt: what is heard of it.
    """

    name: str
    content: str | bytes | Tensor
    sample_rate: int | None = None
    excerpt: Excerpt = _WHOLE

    @classmethod
    def of(cls, source: Source, sample_rate: int | None = None) -> "Recording":
        """Make one of any source.

        Raises:
            InputError: the source cannot be used, or it is no waveform, but
                sample_rate is given.
        """
        name = name_source(source)
        excerpt = source if isinstance(source, Excerpt) else Excerpt(source)
        source = excerpt.source
        # What was given may be large, or a stream that is read now.
        part = replace(excerpt, source=name)
        if not isinstance(source, (*_PATH, *_ENCODED)) and not hasattr(source, "read"):
            if not is_waveform(source):
                raise InputError(
                    f"{name}: a {type(source).__name__} is no audio, expected a path, "
                    "the content of a file, an open binary file, or a waveform"
                )
            waveform = to_waveform(source, sample_rate, part.channel)
            rate = int(sample_rate or 0)  # checked before
            return cls(name, _cut(waveform, rate, part), rate, part)
        if sample_rate is not None:
            raise InputError(
                f"{name}: sample_rate={sample_rate} is given, expected only "
                "with a waveform; leave it out, the file says its own"
            )
        if isinstance(source, _PATH):
            return cls(name, _read_pipe(name), excerpt=part)
        content = source if isinstance(source, _ENCODED) else source.read()
        if not isinstance(content, _ENCODED):
            raise InputError(
                f"{name}: reading gave a {type(content).__name__}, expected bytes; "
                'open the file in binary mode, "rb"'
            )
        return cls(name, bytes(content), excerpt=part)

    @property
    def title(self) -> str:
        """What messages call it."""
        return "waveform" if isinstance(self.content, Tensor) else self.name

    def inspect(self) -> AudioInfo:
        """Say how long what is heard is, and at what rate. Raises AudioError."""
        return self._info

    @cached_property
    def _info(self) -> AudioInfo:
        # Some kinds of files are decoded for it, so it is found out once.
        if isinstance(self.content, Tensor):
            return AudioInfo(self._rate, len(self.content), 1)
        return inspect_audio(self._open(), self.excerpt.start, self.excerpt.duration)

    def load(self, sample_rate: int) -> Tensor:
        """Decode and convert to (S,) float32 at a rate, Hz. Raises AudioError."""
        if isinstance(self.content, Tensor):
            return resample_audio(self.content, self._rate, sample_rate)
        part = self.excerpt
        return load_audio(
            self._open(), sample_rate, True, part.start, part.duration, part.channel
        )

    def blocks(self, seconds: float) -> Iterator[tuple[Tensor, int]]:
        """Decode block by block; see `read_blocks`. Raises AudioError."""
        if not isinstance(self.content, Tensor):
            part = self.excerpt
            yield from read_blocks(
                self._open(), seconds, part.start, part.duration, part.channel
            )
            return
        size = max(1, round(seconds * self._rate))
        for start in range(0, len(self.content), size):
            yield self.content[start : start + size], self._rate

    def place(self, transcript: Transcript) -> Transcript:
        """Let times count from the start of the recording, and name the channel."""
        return transcript.place(self.excerpt.start, self.excerpt.channel)

    @property
    def _rate(self) -> int:
        """Hz, of a waveform."""
        assert self.sample_rate is not None
        return self.sample_rate

    def _open(self) -> AudioSource:
        assert not isinstance(self.content, Tensor)
        if isinstance(self.content, str):
            return self.content
        stream = _Stream(self.content)
        stream.name = self.name
        return stream


def _read_pipe(path: str) -> str | bytes:
    """The path of a file; or all that comes through a pipe, which comes but once."""
    try:
        if stat.S_ISFIFO(os.stat(path).st_mode):
            with open(path, "rb") as pipe:
                return read_stream(pipe)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise InputError(
                f"{path}: a pipe that brings {error.strerror}, which is held in "
                "memory; write it into a file, and name that"
            ) from error
    except ValueError:
        pass  # as whoever opens the file will say
    return path


def _cut(waveform: Tensor, rate: int, part: Excerpt) -> Tensor:
    """The samples of an excerpt."""
    if not part.start and part.end is None:
        return waveform
    lasts = len(waveform) / rate
    end = lasts if part.end is None else part.end
    if part.start >= lasts or end > lasts + duration_tolerance(end - part.start):
        raise InputError(
            f"waveform: lasts {lasts:.3f} s, expected an excerpt that lies within, not "
            f"from {part.start:g} to {end:g} s; correct start and end"
        )
    return waveform[round(part.start * rate) : round(end * rate)]
