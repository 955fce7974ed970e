"""Files at addresses, fetched into the cache when they are first read.

`https://host/a/b.wav` lies at `https/host/a/b.wav` of the cache, so that paths stay
paths, and what lies beside a file there lies beside it here.
"""

import contextlib
import hashlib
import logging
import os
import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from speechgru.cache import alone, cache_folder
from speechgru.files import reason, replace_file, to_json
from speechgru.interfaces import InputError
from speechgru.progress import Progress

SCHEMES = ("http", "https", "s3", "gs")

_NUM_LOCKS = 256  # files that are fetched at the same time, about
_LONGEST_NAME = 200  # bytes; what is put around it makes it longer
_EMPTY = "%"  # stands for a part without a name, as in s3://a//b

_log = logging.getLogger(__name__)


def locate(place: str, folder: Path | None = None) -> Path:
    """The path of what a path or an address names.

    Args:
        place: as a person or a manifest has it.
        folder: where a relative path begins; None: the working directory.

    Raises:
        InputError: an address of no known kind, or too long a name.
    """
    scheme, separator, rest = place.partition("://")
    if not separator or not re.fullmatch(r"[A-Za-z][\w+.-]*", scheme):
        return Path(place).expanduser() if folder is None else folder / place
    if scheme.lower() not in SCHEMES:
        raise InputError(
            f"{place[:200]}: cannot be fetched from {scheme}://, expected a path, or "
            f"an address of {', '.join(SCHEMES)}"
        )
    parts = [_to_name(part) for part in rest.split("/")]
    if len(parts) < 2 or parts[-1] == _EMPTY:
        raise InputError(
            f"{place[:200]}: names no file, expected e.g. {scheme}://host/a.jsonl"
        )
    if any(len(part) > _LONGEST_NAME for part in parts):
        raise InputError(
            f"{place[:60]}...: a part of it has more than {_LONGEST_NAME} characters; "
            "fetch the file yourself and give its path"
        )
    return _root().joinpath(scheme.lower(), *parts)


def address_of(path: Path) -> str | None:
    """The address that `locate` made a path of; None: it is a path of its own."""
    root = f"{_root()}{os.sep}"
    full = os.fspath(path)
    if not full.startswith("/") or ".." in full:
        full = os.path.abspath(full)
    if not full.startswith(root):
        return None
    scheme, *parts = full.removeprefix(root).split(os.sep)
    names = ("" if part == _EMPTY else unquote(part) for part in parts)
    return f"{scheme}://{'/'.join(names)}"


def fetch(path: Path, is_latest: bool = False) -> bool:
    """See that what lies at an address is in the cache.

    Several processes may ask for the same file at once: one fetches it.

    Args:
        path: as `locate` made it; any other is left alone.
        is_latest: fetch it again if it has changed there.

    Returns:
        Whether it was fetched.

    Raises:
        InputError: it cannot be fetched, or not be kept.
    """
    if path.exists() and not is_latest:
        return False
    address = address_of(path)
    if address is None:
        return False
    number = int.from_bytes(hashlib.blake2b(os.fsencode(path)).digest()[:2], "big")
    with alone(_root() / "locks" / f"{number % _NUM_LOCKS:03d}"):
        if path.exists() and not is_latest:
            return False  # another process has fetched it meanwhile
        try:
            system = file_system(address)
            found = system.info(address)
        except InputError:
            raise
        except Exception as error:  # every library has its own
            if path.exists():
                _log.warning(
                    "%s: cannot be looked at (%s); taken as it was fetched before",
                    address, reason(error),
                )  # fmt: skip
                return False
            raise _unfetched(address, error) from error
        origin = path.with_name(f".{path.name}.origin")
        stamp = _stamp(found)
        with contextlib.suppress(OSError):
            if path.exists() and origin.read_bytes() == stamp:
                return False
        _download(system, address, path, found.get("size"))
        replace_file(origin, stamp)
    return True


def _download(system: Any, address: str, path: Path, size: int | None) -> None:
    from fsspec.callbacks import Callback

    class Shown(Callback):
        """What `get_file` tells, in MB."""

        def relative_update(self, inc: int = 1) -> None:
            progress.advance(inc / 1e6)

    # Short: a name may be as long as file systems let it be.
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        total = None if size is None else size / 1e6
        with Progress(path.name, total, "MB") as progress:
            system.get_file(address, str(temporary), callback=Shown())
        found = temporary.stat().st_size
        if size is not None and found != size:
            raise ConnectionError(f"cut off after {found} of {size} bytes")
        os.replace(temporary, path)
    except Exception as error:
        raise _unfetched(address, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def file_system(address: str) -> Any:
    """What reads files at an address. Raises InputError: an extra is missing."""
    scheme = address.partition("://")[0]
    try:
        import fsspec

        return fsspec.filesystem(scheme)
    except ImportError as error:
        raise InputError(
            f"{address}: cannot be fetched ({error}); run: pip install "
            '"speechgru[remote]"'
        ) from error


def _unfetched(address: str, error: Exception) -> InputError:
    status = getattr(error.__cause__, "status", 404)
    why = reason(error)
    # fsspec says of whatever a host answers that there is no such file.
    if status != 404:
        why = f"HTTP {status} {getattr(error.__cause__, 'message', '')}".strip()
    elif isinstance(error, FileNotFoundError):
        return InputError(
            f"{address}: cannot be fetched (no such file), expected one that may be "
            "read; correct the address"
        )
    return InputError(
        f"{address}: cannot be fetched ({why or type(error).__name__}), expected a "
        "file that may be read; check the address, the network, your credentials and "
        f"the space in {_root()}, which SPEECHGRU_CACHE moves"
    )


def _stamp(found: dict[str, Any]) -> bytes:
    """What tells one version of a file from the next, as far as its host says."""
    keys = ("size", "ETag", "etag", "Content-MD5", "LastModified", "mtime", "updated")
    return to_json({key: str(found[key]) for key in keys if key in found})


def _to_name(part: str) -> str:
    if part == "":
        return _EMPTY
    # Dots alone, or in front, would be a folder, or what is kept beside a file.
    head = "%2E" * (len(part) - len(part.lstrip(".")))
    return head + quote(part.lstrip("."), safe=":@=+,;&()[]!'$ ~")


def _root() -> Path:
    return cache_folder() / "remote"
