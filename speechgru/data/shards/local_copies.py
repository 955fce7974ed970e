"""Shards of an address, of which as many are kept on this machine as it may take."""

import contextlib
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from speechgru.data.shards.contents import CONTENTS_FILE, Shard, read_contents
from speechgru.data.shards.fetching import fetch_file
from speechgru.interfaces import InputError
from speechgru.remote import address_of

_GB = 1e9
_TOUCH_EVERY = 60.0  # s


class LocalCopies:
    """Fetches files when they are needed, and removes those that were not for longest.

    Files that lie on this machine, and at no address, are left alone.

    Args:
        known: what each file is, where that is known.
        most: bytes that are kept.
    """

    def __init__(self, known: Mapping[Path, Shard], most: float) -> None:
        self.known = known
        self.most = most
        self._touched: dict[Path, float] = {}

    def __call__(self, path: Path) -> None:
        """See that a file is here. Raises InputError: it cannot be fetched."""
        if address_of(path) is None:
            return
        if not path.exists():
            shard = self.known.get(path)
            self._make_room(0 if shard is None else shard.size)
            fetch_file(path, shard)
        now = time.monotonic()
        if now - self._touched.get(path, -_TOUCH_EVERY) >= _TOUCH_EVERY:
            self._touched[path] = now
            with contextlib.suppress(OSError):
                os.utime(path)

    def check_size(self, at_once: int) -> None:
        """See that as many files fit as are needed at once. Raises InputError."""
        remote = [s.size for path, s in self.known.items() if address_of(path)]
        needed = sum(sorted(remote)[-at_once:])
        if needed > self.most:
            raise InputError(
                f"data.cache_size is {self.most / _GB:g} GB, but {at_once} shards, of "
                f"{needed / _GB:.3g} GB together, are needed at once; raise it, or "
                "lower data.window"
            )

    def _make_room(self, size: int) -> None:
        """Remove what was not used for longest; whoever has it open can go on."""
        here = []
        for path in self.known:
            with contextlib.suppress(OSError):
                status = path.stat()
                here.append((status.st_mtime_ns, status.st_size, path))
        total = size + sum(each[1] for each in here)
        for _, own, path in sorted(here):
            if total <= self.most:
                return
            path.unlink(missing_ok=True)
            total -= own


def find_known(paths: Iterable[Path]) -> dict[Path, Shard]:
    """What shards.json says of files that lie two folders deep beside one."""
    known: dict[Path, Shard] = {}
    folders: dict[Path, dict[str, Shard]] = {}
    for path in paths:
        folder = path.parent.parent
        if folder not in folders:
            folders[folder] = _read_folder(folder)
        shard = folders[folder].get(f"{path.parent.name}/{path.name}")
        if shard is not None:
            known[path] = shard
    return known


def _read_folder(folder: Path) -> dict[str, Shard]:
    path = folder / CONTENTS_FILE
    if not path.is_file():
        return {}
    contents = read_contents(path.read_bytes(), str(path))
    splits = contents.splits.values()
    return {shard.name: shard for split in splits for shard in split.shards}
