"""What an utterance is called inside a tar file."""

import hashlib
from urllib.parse import quote, unquote

_LONGEST = 200
"""Characters; file systems that a shard may be unpacked on allow 255 with an ending."""


def to_key(id: str) -> str:
    """Make a name that is safe in any tar file and on any file system.

    WebDataset and its kin end a key at the first dot; so dots are escaped, like
    slashes and all that is not an ASCII letter, digit, `_`, `-` or `~`. An id that
    would become too long is cut, and ends with `+` and its digest; whoever wants it
    back finds it beside the sound, in KEY.json.

    >>> to_key("ann/2.5 s")
    'ann%2F2%2E5%20s'
    """
    raw = id.encode("utf-8", "surrogateescape")
    key = quote(raw, safe="").replace(".", "%2E")
    if 0 < len(key) <= _LONGEST:
        return key
    digest = hashlib.blake2b(raw, digest_size=16).hexdigest()
    return f"{key[: _LONGEST - len(digest) - 1]}+{digest}"


def from_key(key: str) -> str | None:
    """The id that `to_key` made a key of; None: it was cut.

    >>> from_key("ann%2F2%2E5%20s")
    'ann/2.5 s'
    """
    return None if "+" in key else unquote(key, errors="surrogateescape")
