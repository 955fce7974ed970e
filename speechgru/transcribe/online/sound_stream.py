"""Bytes from a recorder or a file, raw or with the header of a WAV, to sound."""

from collections.abc import Callable, Iterator

import numpy as np

from speechgru.audio.channels import Mixer
from speechgru.interfaces import InputError
from speechgru.transcribe.online.pcm import RawSound
from speechgru.transcribe.online.wav_header import (
    BEHIND,
    MAGIC,
    WavHeader,
    read_header,
    skip_chunk,
)

OTHERS = {
    b"fLaC": "FLAC", b"OggS": "Ogg", b"ID3": "MP3", b"FORM": "AIFF",
    b".snd": "AU", b"caff": "CAF", b"RIFX": "big-endian WAV",
    b"\x1aE\xdf\xa3": "Matroska or WebM", b"NIST": "NIST SPHERE",
}  # fmt: skip
"""First bytes of what is neither raw sound nor a WAV."""


class SoundStream:
    """Sound that comes through a pipe.

    Args:
        get: gives some bytes, as they come; b"" at the end.
        raw: what the bytes mean if they do not begin with the header of a WAV.
        say: takes a line that the user should read.

    Attributes:
        sound: what the bytes mean.
        is_wav: whether they began with a header.

    Raises:
        InputError: it is a WAV that cannot be read, or another kind of file.
    """

    def __init__(
        self, get: Callable[[], bytes], raw: RawSound, say: Callable[[str], None]
    ) -> None:
        self._get = get
        self._say = say
        self._held = b""
        head = self._take(12)
        kind = next((k for magic, k in OTHERS.items() if head.startswith(magic)), None)
        if kind is None and head[4:8] == b"ftyp":
            kind = "MP4"
        self.is_wav = head[:4] in MAGIC and head[8:] == b"WAVE"
        if head[:4] in MAGIC and len(head) == 12 and not self.is_wav:
            kind = "RIFF but no WAV"
        if kind is not None:
            raise InputError(
                f"standard input is {kind}, expected raw sound or WAV; decode it: "
                "ffmpeg -i IN -f wav - | speechgru stream ..., or use speechgru "
                "transcribe"
            )
        self._left: int | None = None
        self._is_odd = False
        self.sound = raw
        if self.is_wav:
            self.sound = self._begin_wav().sound
        else:
            self._held = head + self._held
        self._mixer = Mixer()
        self._warned = False

    def __iter__(self) -> Iterator[np.ndarray]:
        """Mono chunks, (S,) float32 in [-1, 1], as they come."""
        frame_size = self.sound.frame_size
        while part := self._next_part():
            # At the end of a part that is no whole number of frames, wait for more.
            while len(part) % frame_size and (more := self._next_part()):
                part += more
            whole = len(part) - len(part) % frame_size
            if whole < len(part):
                self._say(
                    "the sound ended in the middle of a sample frame: the last "
                    f"{len(part) - whole} of its {frame_size} bytes are left out"
                )
            if whole:
                yield self._mix(self.sound.decode(part[:whole]))

    def _mix(self, samples: np.ndarray) -> np.ndarray:
        mono = self._mixer.average(samples)
        if self._mixer.cancels and not self._warned:
            self._warned = True
            self._say(self._mixer.explain())
        return mono

    def _next_part(self) -> bytes:
        """Some bytes of sound; b"" at its end."""
        if self._left == 0:
            self._go_behind_sound()
        part = self._held or self._get()
        self._held = b""
        if self._left is None:
            return part
        self._held = part[self._left :]
        part = part[: self._left]
        self._left -= len(part)
        return part

    def _go_behind_sound(self) -> None:
        """Where the announced sound ends: other chunks, another WAV, or still sound."""
        self._left = None
        head = self._take(4)
        if self._is_odd and head[:1] == b"\0":  # chunks begin at even places
            head = head[1:] + self._take(1)
        while head in BEHIND:
            skip_chunk(self._take)
            head = self._take(4)
        if head not in MAGIC:
            self._held = head + self._held  # the length was a lie
            return
        if self._take(8)[4:] != b"WAVE":
            raise InputError(
                "standard input goes on behind the sound of a WAV with what is no WAV; "
                "give one recording"
            )
        header = self._begin_wav()
        if header.sound != self.sound:
            raise InputError(
                f"standard input is a WAV of {self.sound}, and another behind it of "
                f"{header.sound}, expected the same; convert them first"
            )

    def _begin_wav(self) -> WavHeader:
        header = read_header(self._take)
        self._left = header.size
        self._is_odd = header.size is not None and header.size % 2 == 1
        return header

    def _take(self, count: int) -> bytes:
        """So many bytes, or fewer at the end."""
        parts = [self._held]
        missing = count - len(self._held)
        while missing > 0 and (part := self._get()):
            parts.append(part)
            missing -= len(part)
        content = b"".join(parts)
        self._held = content[count:]
        return content[:count]
