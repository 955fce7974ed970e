"""What a file is that soundfile cannot decode, by its first bytes.

FFmpeg would also look for frames of sound in the middle of anything, and find some
in files that are damaged, or no sound at all.
"""

import os
import re
from typing import BinaryIO

from speechgru.audio.mpeg import tag_size

HEAD = 1 << 16
"""Bytes from the start that are looked at."""

MPEG_4 = "MPEG-4 (m4a, mp4, mov, 3gp)"
"""The kind of files that phones write."""

_LISTS = (
    (rb"#EXTM3U", "an m3u8 playlist"),
    (rb"\[playlist\]", "a pls playlist"),
    (rb"\[Reference\]", "an asx playlist"),
    (rb"ffconcat version", "a list of FFmpeg's concat"),
    (rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<asx\b", "an asx playlist"),
    (rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<(smil|wpl|zpl)\b", "a playlist in SMIL"),
    (rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<playlist\b", "an xspf playlist"),
    (rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<MPD\b", "a DASH manifest"),
    (rb"(REM|TITLE|PERFORMER|CATALOG|FILE) [^\0]*?\bTRACK \d+ AUDIO", "a cue sheet"),
    (rb"v=0\r?\no=", "a description of a session (sdp)"),
    (rb"(https?|rtsps?|rtmp|mms|file)://", "a list of addresses"),
)
_KINDS = (
    (rb"....(ftyp|moov|mdat|wide|skip|free)", MPEG_4),
    (rb"\x1aE\xdf\xa3", "Matroska or WebM"),
    (rb"#!AMR", "AMR"),
    (rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "ASF (wma, wmv)"),
    (rb"\xff[\xf0\xf1\xf8\xf9]|ADIF", "AAC"),
    (rb"OggS", "Ogg with sound that is neither Vorbis nor Opus nor FLAC"),
    (rb"FLV\x01", "FLV"),
    (rb"RIFF....AVI ", "AVI"),
    (rb"(RIFF|RIFX|RF64|BW64)....WAVE", "WAV of a coding that libsndfile lacks"),
    (rb"FORM....(AIF[FC]|8SVX)", "AIFF of a coding that libsndfile lacks"),
    (rb"caff|riff\x2e\x91\xcf\x11|\.snd", "sound of a coding that libsndfile lacks"),
    (rb"RIFF....QLCM", "QCP"),
    (rb"\x00\x00\x01[\xb3\xba\xbb]", "MPEG video"),
    (rb"(....)?G.{187}(....)?G.{187}(....)?G", "an MPEG transport stream"),
    (rb"\x06\x0e\x2b\x34", "MXF"),
    (rb"\x0bw", "AC-3"),
    (rb"\x7f\xfe\x80\x01|\xfe\x7f\x01\x80", "DTS"),
    (rb"....\xf8\x72\x6f[\xba\xbb]", "TrueHD"),
    (rb"wvpk", "WavPack"),
    (rb"MAC ", "Monkey's Audio"),
    (rb"TTA1", "True Audio"),
    (rb"tBaK", "TAK"),
    (rb"MPCK|MP\+", "Musepack"),
    (rb"\.RMF|\.ra\xfd", "RealMedia"),
    (rb"DSD ", "DSF"),
    (rb"Creative Voice File", "VOC"),
    (rb"[\x02\x03]ds[s2]", "DSS"),
    (rb"(ea3|EA3)[\x01\x03]", "OpenMG"),
)
_ENCRYPTED = (  # what ASF calls its objects for content that is
    bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"),
    bytes.fromhex("14e68a292226174cb935dae07ee9289c"),
)


def read_head(stream: BinaryIO) -> bytes:
    """The first bytes of a file, behind ID3 tags."""
    start = 0
    while True:
        stream.seek(start, os.SEEK_SET)
        head = stream.read(HEAD)
        size = tag_size(head, 0) if head[:3] == b"ID3" else 0
        if not size:
            return head
        start += size


def list_kind(head: bytes) -> str | None:
    """What names other files instead of holding sound; None: it is no such list.

    >>> list_kind(b"#EXTM3U\\nhttp://host/1.ts")
    'an m3u8 playlist'
    """
    return _find(_LISTS, head.removeprefix(b"\xef\xbb\xbf").lstrip()[:4096])


def media_kind(head: bytes) -> str | None:
    """What FFmpeg is to make of these first bytes; None: nothing.

    >>> media_kind(b"#!AMR\\n")
    'AMR'
    """
    return _find(_KINDS, head)


def is_encrypted(head: bytes) -> bool:
    """Whether an ASF file says that its content is encrypted."""
    return head.startswith(b"\x30\x26\xb2\x75") and any(id in head for id in _ENCRYPTED)


def _find(kinds: tuple[tuple[bytes, str], ...], head: bytes) -> str | None:
    for pattern, kind in kinds:
        if re.match(pattern, head, re.DOTALL | re.IGNORECASE):
            return kind
    return None
