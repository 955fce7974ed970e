"""Files that FFmpeg opens: m4a, mp4, webm, mka, 3gp, amr, wma, aac and more.

PyAV's wheel brings FFmpeg's libraries. FFmpeg is given a stream, never a name or an
address; no protocol is allowed, so no file that is named in another is opened, and
only kinds of files that hold sound themselves, each known by its first bytes.

Source: FFmpeg's documentation, "Format Options" (format_whitelist,
protocol_whitelist, codec_whitelist).
"""

import logging
from dataclasses import dataclass
from functools import lru_cache
from io import RawIOBase
from typing import TYPE_CHECKING, BinaryIO

from speechgru.audio.error import AudioError, reason, undecodable
from speechgru.audio.kinds import (
    MPEG_4,
    is_encrypted,
    list_kind,
    media_kind,
    read_head,
)
from speechgru.audio.mpeg4 import check_index

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from typing_extensions import Buffer

EXTRA = 'pip install "speechgru[media]"'

_logger = logging.getLogger(__name__)
_OPTIONS = {
    "protocol_whitelist": "none",
    "format_whitelist": (
        "mov,matroska,asf,aac,amr,flv,avi,mpegts,mpeg,mpegvideo,ogg,wav,w64,caf,aiff,"
        "au,ac3,eac3,dts,dtshd,truehd,mlp,ape,wv,tta,tak,mpc,mpc8,rm,dsf,iff,voc,dss,"
        "oma,mxf,qcp"
    ),
    # Pictures are not decoded, not even to find out how large they are.
    "codec_whitelist": (
        "aac,aac_latm,ac3,alac,amrnb,amrwb,ape,cook,dca,dss_sp,eac3,flac,libopus,"
        "libvorbis,mlp,mp1float,mp2float,mp3float,mpc7,mpc8,opus,pcm_alaw,pcm_mulaw,"
        "pcm_s16be,pcm_s16le,pcm_s24be,pcm_s24le,pcm_s32be,pcm_s32le,pcm_s8,pcm_u8,"
        "qcelp,qdm2,speex,tak,truehd,tta,vorbis,wavpack,wmalossless,wmapro,wmav1,wmav2,"
        "wmavoice"
    ),
}
_PROTECTED = ("drms", "enca", "aavd", "aaxc")  # kinds of sound in MPEG-4


@dataclass(frozen=True)
class Track:
    """An open container, and its track that is heard.

    Attributes:
        container: of FFmpeg.
        stream: the track.
    """

    container: "InputContainer"
    stream: "AudioStream"

    @property
    def kinds(self) -> set[str]:
        """Names that FFmpeg has for the kind of container."""
        return set(self.container.format.name.split(","))

    @property
    def is_alone(self) -> bool:
        """Whether there is nothing beside it, not even a picture."""
        return len(self.container.streams) == 1


def explain_undecodable(
    stream: BinaryIO, name: str, error: Exception
) -> AudioError | None:
    """Why a file that soundfile cannot open will not be given to FFmpeg either.

    Args:
        stream: the file.
        name: for messages.
        error: what soundfile said.

    Returns:
        None: FFmpeg may try.
    """
    head = read_head(stream)
    if kind := list_kind(head):
        return AudioError(
            "undecodable",
            f"{name}: {kind}, which names other files and holds no sound, expected a "
            "recording; give the recordings themselves",
        )
    if is_encrypted(head):
        return _encrypted(name)
    kind = media_kind(head)
    if kind is None:
        return undecodable(name, error)
    try:
        import av  # noqa: F401
    except ImportError as missing:
        return AudioError(
            "undecodable",
            f"{name}: {kind} is decoded by FFmpeg, which cannot be imported "
            f"({missing}); {EXTRA}, or convert it, e.g. by ffmpeg -i IN OUT.wav",
        )
    return None


def open_container(stream: BinaryIO, name: str) -> Track:
    """Open what FFmpeg knows; whoever calls closes the container.

    Args:
        stream: can be read at any position.
        name: for messages.

    Raises:
        AudioError: damaged, without sound, or encrypted.
    """
    import av

    kind = media_kind(read_head(stream))
    if kind == MPEG_4:
        check_index(stream, name)
    stream.seek(0)
    try:
        container = av.open(
            _Nameless(stream), "r", options=_OPTIONS, metadata_errors="replace"
        )
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise AudioError(
            "damaged",
            f"{name}: {kind} that cannot be opened ({explain(error)}), as when its "
            "recorder was killed, or its beginning or end was not copied; copy the "
            "file again or drop it",
        ) from error
    try:
        return Track(container, _choose(container, name))
    except BaseException:
        container.close()
        raise


def _choose(container: "InputContainer", name: str) -> "AudioStream":
    tracks = container.streams.audio
    if not tracks:
        held = sorted({str(stream.type) for stream in container.streams})
        raise AudioError(
            "no-samples",
            f"{name}: holds {' and '.join(held) or 'nothing'}, but no sound, expected "
            "a track of audio; drop it, or take the file that the sound is in",
        )
    best = container.streams.best("audio")
    track = next((each for each in tracks if best and each.index == best.index), None)
    track = track or tracks[0]
    if len(tracks) > 1:
        languages = tuple(each.language or "unknown" for each in tracks)
        _say_track(name, tracks.index(track), languages)
    if track.codec_context is None:
        raise AudioError(
            "undecodable",
            f"{name}: FFmpeg has no decoder for its sound, or the first frames are "
            "damaged; convert it with the program that made it, or drop it",
        )
    if track.codec_context.codec_tag in _PROTECTED:
        raise _encrypted(name)
    track.codec_context.thread_count = 1
    return track


@lru_cache(1024)  # once a file
def _say_track(name: str, index: int, languages: tuple[str, ...]) -> None:
    _logger.warning(
        "%s: holds %d tracks of sound (languages: %s); the one that is marked as "
        "default, number %d, is heard; for another, ffmpeg -i IN -map 0:a:N OUT.wav",
        name,
        len(languages),
        ", ".join(languages),
        index,
    )


def _encrypted(name: str) -> AudioError:
    return AudioError(
        "undecodable",
        f"{name}: its sound is encrypted (DRM), expected one that may be read; take a "
        "copy without protection, or record it anew",
    )


def explain(error: Exception) -> str:
    """What FFmpeg says of a failure, without the stream's name."""
    return (getattr(error, "strerror", None) or reason(error)).lower()


class _Nameless(RawIOBase):
    """A stream whose name FFmpeg cannot take for an address, and cannot close."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readinto(self, buffer: "Buffer") -> int:
        view = memoryview(buffer).cast("B")
        block = self._stream.read(len(view))
        view[: len(block)] = block
        return len(block)
