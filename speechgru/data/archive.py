"""Archives of corpora: found or downloaded, unpacked safely, and digested."""

import hashlib
import lzma
import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from speechgru.cache import making
from speechgru.data.download import download
from speechgru.data.unpack import Allowance, NoSpaceError, extract_tar, extract_zip
from speechgru.interfaces import InputError
from speechgru.progress import track

_CHUNK = 1 << 20  # bytes
_HEAD = 1 << 16  # bytes that tell an archive from others of its size


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
    archive: str | None,
    filename: str,
    url: str | None,
    download_dir: Path,
    mirrors: Sequence[str] = (),
    size: int | None = None,
    check: Callable[[Path], None] | None = None,
) -> Path:
    """Find an archive, or download it as the last resort.

    Args:
        archive: as for `find_archive`.
        filename: as for `find_archive`.
        url: where it is downloaded from; None: nowhere.
        download_dir: where downloads are kept.
        mirrors: addresses that are tried after the url, in turn.
        size: expected bytes of a download, if they are known.
        check: raises InputError where an archive is another than expected; each
            archive is given to it, found or downloaded.

    Raises:
        InputError: as for `find_archive`; it is not in the folder that the user
            gave, or has no url; or the download failed (what has arrived is kept
            and resumed).
    """
    path = find_archive(archive, filename, download_dir)
    if path is not None:
        if check is not None:
            check(path)
        return path
    if archive is not None or url is None:
        raise InputError(
            f"{Path(archive or download_dir) / filename}: no such file, expected the "
            f"archive; put it there ({url or 'it has no url'}), or set "
            "corpus.archive=PATH"
        )
    path = download_dir / filename
    download([url, *mirrors], path, size, check)
    return path


def extract_archive(path: Path, destination: Path, nested: Sequence[str] = ()) -> None:
    """Unpack a tar (any compression) or zip archive into a new folder.

    A single top folder is removed: `an4-<sha>/wav/...` becomes
    `<destination>/wav/...`. The folder appears only when complete. Where the disk is
    full, or the work is interrupted or killed, what is unpacked waits in a hidden
    folder beside it, and the next call goes on from there. Of several processes that
    want the same, one unpacks.

    Args:
        path: of the archive.
        destination: of its files; one that another process has just made is left
            as it is.
        nested: glob patterns, below the destination, of archives inside the archive;
            each is unpacked into the folder that it lies in, and removed.

    Raises:
        InputError: damaged, encrypted, not an archive, a member that would be
            written outside the folder, files much larger than the archive (see
            `unpack.py`), or no space left.
    """
    with making(destination, "unpacks", "choose another one by data_dir=FOLDER"):
        if not destination.exists():
            _unpack(path, destination, nested)


def _unpack(path: Path, destination: Path, nested: Sequence[str]) -> None:
    # Files in it that are whole have the time that the archive tells, so that it may
    # have been left by a process that was killed.
    content = destination.with_name(f".{destination.name}.{_identify(path)}.part")
    try:
        content.mkdir(exist_ok=True)
        allowance = Allowance(path, destination.parent)
        _extract(path, content, allowance)
        top = _without_top(content)
        for inner in sorted({p for pattern in nested for p in top.glob(pattern)}):
            _extract(inner, inner.parent, allowance)
            inner.unlink()
        os.replace(top, destination)
    except NoSpaceError:
        raise
    except Exception as error:  # Ctrl-C and the like say nothing against what is there
        shutil.rmtree(content, ignore_errors=True)
        if isinstance(error, OSError):
            raise InputError(
                f"{path}: cannot be unpacked into {destination} ({error}); "
                "free space there, or fetch the archive again"
            ) from error
        raise
    shutil.rmtree(content, ignore_errors=True)


def _extract(path: Path, folder: Path, allowance: Allowance) -> None:
    try:
        if zipfile.is_zipfile(path):
            extract_zip(path, folder, allowance)
        else:
            extract_tar(path, folder, allowance)
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


def _without_top(folder: Path) -> Path:
    """The one folder that holds everything, if there is such a one."""
    entries = list(folder.iterdir())
    if len(entries) == 1 and entries[0].is_dir() and not entries[0].is_symlink():
        return entries[0]
    return folder


def _identify(path: Path) -> str:
    """Tell an archive from others, without reading tens of GB."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    key = f"{path.stat().st_size}".encode() + head
    return hashlib.blake2b(key, digest_size=6).hexdigest()


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
        content = bytes.fromhex(digest_file(files[name], "sha256"))
        tree.update(name.encode() + b"\0" + content)
    return tree.hexdigest()


def digest_file(path: Path, algorithm: str) -> str:
    """Hexadecimal digest of a file of any size, by a name that hashlib knows."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
