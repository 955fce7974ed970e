"""Archives of corpora: found or downloaded, unpacked safely, and digested."""

import hashlib
import http.client
import logging
import lzma
import os
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from speechgru.data.unpack import extract_tar, extract_zip
from speechgru.interfaces import InputError
from speechgru.progress import Progress, track

_log = logging.getLogger(__name__)

_CHUNK = 1 << 18  # bytes
_MB = 1e6
_TIMEOUT = 30  # s without an answer


def find_archive(archive: str | None, filename: str, download_dir: Path) -> Path | None:
    """Find an archive on this machine.

    Args:
        archive: path of the archive, or of a folder of archives, given by the user;
            nothing else is tried then.
        filename: looked for in the folder `archive`; without that in the folder
            that the environment variable SPEECHGRU_ARCHIVES names, then in
            `download_dir`.
        download_dir: where downloads are kept.

    Returns:
        Its path, or None if it is in none of these folders.

    Raises:
        InputError: `archive` or the folder SPEECHGRU_ARCHIVES does not exist.
    """
    if archive is not None:
        path = Path(archive).expanduser()
        if path.is_file():
            return path
        if not path.is_dir():
            raise InputError(
                f"{path}: no such file, expected an archive, or a folder that holds "
                f"{filename}; correct corpus.archive"
            )
        folders = [path]
    else:
        folder = os.environ.get("SPEECHGRU_ARCHIVES")
        if folder and not Path(folder).is_dir():
            raise InputError(
                f"{folder}: no such folder, expected the archives; "
                "correct the environment variable SPEECHGRU_ARCHIVES"
            )
        folders = [Path(folder)] if folder else []
        folders.append(download_dir)
    found = (path / filename for path in folders)
    return next((path for path in found if path.is_file()), None)


def locate_archive(
    archive: str | None, filename: str, url: str | None, download_dir: Path
) -> Path:
    """Find an archive, or download it as the last resort.

    Args:
        archive: as for `find_archive`.
        filename: as for `find_archive`.
        url: where it is downloaded from; None: nowhere.
        download_dir: where downloads are kept.

    Raises:
        InputError: as for `find_archive`; it is not in the folder that the user
            gave, or has no url; or the download failed (what has arrived is kept
            and resumed).
    """
    path = find_archive(archive, filename, download_dir)
    if path is not None:
        return path
    if archive is not None or url is None:
        raise InputError(
            f"{Path(archive or download_dir) / filename}: no such file, expected the "
            f"archive; put it there ({url or 'it has no url'}), or set "
            "corpus.archive=PATH"
        )
    path = download_dir / filename
    download(url, path)
    return path


def download(url: str, path: Path) -> None:
    """Download to `path`, resuming from `<path>.part` where the host can.

    Raises:
        InputError: unreachable, refused or cut off; the part is kept.
    """
    part = path.with_name(path.name + ".part")
    _log.info("downloading %s to %s", url, path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _fetch(url, part)
        os.replace(part, path)
    except (OSError, http.client.HTTPException) as error:
        # URLError and HTTPError are OSErrors.
        reason = getattr(error, "reason", None) or str(error) or type(error).__name__
        raise InputError(
            f"{url}: download failed ({reason}), expected {path.name}; try again, or "
            "set corpus.archive=PATH, or set SPEECHGRU_ARCHIVES to a folder that "
            "holds the file"
        ) from error


def extract_archive(path: Path, destination: Path) -> None:
    """Unpack a tar (any compression) or zip archive into a new folder.

    A single top folder is removed: `an4-<sha>/wav/...` becomes
    `<destination>/wav/...`. The folder appears only when complete.

    Raises:
        InputError: damaged, encrypted, not an archive, a member that would be
            written outside the folder, files much larger than the archive (see
            `unpack.py`), or no space left.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(
        tempfile.mkdtemp(prefix=f".{destination.name}.", dir=destination.parent)
    )
    try:
        content = temporary / "content"
        content.mkdir()
        if zipfile.is_zipfile(path):
            extract_zip(path, content)
        else:
            extract_tar(path, content)
        entries = list(content.iterdir())
        if len(entries) == 1 and entries[0].is_dir():
            content = entries[0]
        os.replace(content, destination)
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        NotImplementedError,  # a compression that zipfile does not know
    ) as error:
        raise InputError(
            f"{path}: not a whole archive ({error}), expected tar or zip; "
            "delete it and fetch it again"
        ) from error
    except OSError as error:
        raise InputError(
            f"{path}: cannot be unpacked into {destination} ({error}); "
            "free space there, or fetch the archive again"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def digest_tree(folder: Path, patterns: Iterable[str]) -> str:
    """Digest the files below a folder that match any of the glob patterns.

    Returns:
        Hexadecimal sha256 over, in order of their names, each file's name
        relative to the folder, a zero byte, and the sha256 of its content.
    """
    files = {
        file.relative_to(folder).as_posix(): file
        for pattern in patterns
        for file in folder.glob(pattern)
        if file.is_file()
    }
    tree = hashlib.sha256()
    for name in track(sorted(files), f"checking {folder}", "files"):
        content = hashlib.sha256(files[name].read_bytes()).digest()
        tree.update(name.encode() + b"\0" + content)
    return tree.hexdigest()


def _fetch(url: str, part: Path) -> None:
    start = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "speechgru"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code != 416:  # nothing beyond `start`
            raise
        error.close()
        # Whole already, or not of this file: only the host's word can tell.
        if error.headers.get("Content-Range") == f"bytes */{start}":
            return
        part.unlink()
        _fetch(url, part)
        return
    with response:
        if response.status != 206:  # the host cannot resume
            start = 0
        length = response.headers.get("Content-Length")
        total = None if length is None else start + int(length)
        with (
            open(part, "ab" if start else "wb") as file,
            Progress(
                part.name.removesuffix(".part"),
                None if total is None else total / _MB,
                "MB",
                done=start / _MB,
            ) as progress,
        ):
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                progress.advance(len(chunk) / _MB)
            file.flush()
            os.fsync(file.fileno())
    size = part.stat().st_size
    if total is not None and size != total:
        raise ConnectionError(f"cut off after {size} of {total} bytes")
