"""The headers of a WAV that comes through a pipe, where nobody can look ahead."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from speechgru.interfaces import InputError
from speechgru.transcribe.online.pcm import RawSound

MAGIC = (b"RIFF", b"RF64", b"BW64")

LARGEST = 16 << 20
"""Bytes of a chunk beside the sound; one that is larger is none."""

BEHIND = frozenset(
    {
        *(b"LIST", b"bext", b"id3 ", b"ID3 ", b"iXML", b"cue ", b"fact", b"PEAK"),
        *(b"smpl", b"inst", b"JUNK", b"junk", b"FLLR", b"PAD ", b"_PMX", b"acid"),
        *(b"cart", b"axml", b"DISP", b"afsp"),
    }
)
"""Chunks that may follow the sound."""

_UNKNOWN = 0x7FFFF000
"""Sizes from here on are what recorders write into a pipe: sox 0x7FFFF000, arecord
0x80000000, ffmpeg 0xFFFFFFFF."""

_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_ENCODINGS = {
    (_PCM, 1): "u8", (_PCM, 2): "s16le", (_PCM, 3): "s24le", (_PCM, 4): "s32le",
    (_FLOAT, 4): "f32le", (_FLOAT, 8): "f64le", (_ALAW, 1): "alaw",
    (_MULAW, 1): "mulaw",
}  # fmt: skip

Take = Callable[[int], bytes]
"""Gives so many bytes, or fewer at the end of the stream."""


@dataclass(frozen=True)
class WavHeader:
    """What comes before the sound.

    Attributes:
        sound: what its bytes mean.
        size: bytes of sound that are announced; None: nobody knew.
    """

    sound: RawSound
    size: int | None


def read_header(take: Take) -> WavHeader:
    """Read up to the first byte of sound.

    Args:
        take: gives what follows the first 12 bytes, RIFF....WAVE.

    Raises:
        InputError: the stream ends before, or the sound is none that is known.
    """
    sound: RawSound | None = None
    long_size: int | None = None
    while True:
        head = take(8)
        if len(head) < 8:
            raise InputError(
                "standard input ends within the header of a WAV, expected sound; check "
                "the program that writes it"
            )
        name, size = head[:4], int.from_bytes(head[4:], "little")
        if name == b"data":
            if sound is None:
                raise InputError(
                    "standard input is a WAV without a fmt chunk before its sound; "
                    "write it anew, e.g. by ffmpeg -i IN OUT.wav"
                )
            if size == 0xFFFFFFFF and long_size is not None:
                size = long_size
            is_known = 0 < size < _UNKNOWN or size == long_size
            return WavHeader(sound, size if is_known else None)
        if size > LARGEST:
            raise InputError(
                f"standard input is a WAV with a chunk {name!r} of {size} bytes before "
                "its sound, expected less; write it anew, e.g. by ffmpeg -i IN OUT.wav"
            )
        content = take(size + size % 2)
        if name == b"fmt ":
            sound = _read_format(content)
        elif name == b"ds64" and len(content) >= 16:
            long_size = int.from_bytes(content[8:16], "little")


def skip_chunk(take: Take) -> bool:
    """Go on behind the size of a chunk that follows the sound, to its end.

    Returns:
        Whether it was all there.
    """
    head = take(4)
    size = int.from_bytes(head, "little")
    size += size % 2
    while size > 0 and (part := take(min(size, 1 << 16))):
        size -= len(part)
    return len(head) == 4 and size == 0


def _read_format(content: bytes) -> RawSound:
    if len(content) < 16:
        raise InputError(
            f"standard input is a WAV whose fmt chunk has {len(content)} bytes, "
            "expected at least 16; write it anew, e.g. by ffmpeg -i IN OUT.wav"
        )
    tag, channels, rate, _, block, bits = struct.unpack("<HHIIHH", content[:16])
    if tag == _EXTENSIBLE and len(content) >= 26:
        (tag,) = struct.unpack("<H", content[24:26])
    # A sample of 20 bits is the upper part of 3 or 4 bytes.
    width = block // channels if channels and block % channels == 0 else 0
    encoding = _ENCODINGS.get((tag, width or (bits + 7) // 8))
    if encoding is None:
        raise InputError(
            f"standard input is a WAV of format {tag} with {bits} bits, expected PCM "
            "of 8 to 32 bits, floats, A-law or mu-law; put `ffmpeg -i - -f wav -` "
            "before it"
        )
    return RawSound(encoding, channels, rate)
