"""What a file is that soundfile cannot decode, by its first bytes."""

import re

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
    (rb"\xff[\xf0\xf1\xf8\xf9]", "AAC"),
    (rb"ADIF", "AAC"),
    (rb"FLV\x01", "FLV"),
    (rb"RIFF....AVI ", "AVI"),
    (rb"\x00\x00\x01\xba", "MPEG video"),
    (rb"G.{187}G.{187}G", "an MPEG transport stream"),
    (rb"\x0bw", "AC-3"),
    (rb"wvpk", "WavPack"),
    (rb"MAC ", "Monkey's Audio"),
    (rb"TTA1", "True Audio"),
    (rb"MPCK|MP\+", "Musepack"),
    (rb"\.RMF|\.ra\xfd", "RealMedia"),
    (rb"DSD ", "DSF"),
)
_ENCRYPTED = (  # what ASF calls its objects for content that is
    bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"),
    bytes.fromhex("14e68a292226174cb935dae07ee9289c"),
)


def list_kind(head: bytes) -> str | None:
    """What names other files instead of holding sound; None: it is no such list.

    >>> list_kind(b"#EXTM3U\\nhttp://host/1.ts")
    'an m3u8 playlist'
    """
    return _find(_LISTS, head.removeprefix(b"\xef\xbb\xbf").lstrip()[:4096])


def media_kind(head: bytes) -> str | None:
    """What FFmpeg knows by these first bytes; None: nothing that is common.

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
