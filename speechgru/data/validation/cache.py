"""What files held when they were last decoded, kept between runs."""

import hashlib
import json
import logging
import os
import time
import zlib
from pathlib import Path

import numpy as np

from speechgru.data.validation.heard import HEARD, Heard
from speechgru.files import file_state, reason, replace_file
from speechgru.interfaces import InputError, Utterance

PAUSE = 2.0
"""s between two writings; what takes less is not worth a cache."""

# The version is that of `measure`, too: what it measures otherwise is another one.
_HEADER = json.dumps({"speechgru": "examined audio", "version": 2}).encode().ljust(63)
_ROW = np.dtype(
    [
        ("key", "V16"),
        ("size", "<i8"),
        ("modified", "<i8"),
        ("heard", HEARD),
        ("checksum", "<u4"),
    ]
)

log = logging.getLogger(__name__)


class ExaminedAudio:
    """Remembers sound audio by path, size and time of its file.

    A file that has changed is decoded again; so is one with a problem, always. What
    is new is appended as it comes, in whole rows, so that work which is killed goes on
    where it was. A cache that cannot be read, or of an older version, is made anew.

    Args:
        path: of the cache; it need not exist. None: nothing is remembered.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._rows = np.empty(0, _ROW) if path is None else _open(path)
        keys = _shorten(self._rows["key"])
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]
        self._new: list[tuple] = []
        self._is_begun = len(self._rows) > 0
        self._written_at = time.monotonic()

    def find(self, utterance: Utterance) -> Heard | None:
        """What the audio of an utterance was, if its file is what it was."""
        if not len(self._keys):
            return None
        key = _key(utterance)
        # Of several with one key, the last is the newest.
        place = int(np.searchsorted(self._keys, _short(key), "right")) - 1
        if place < 0:
            return None
        row = self._rows[self._order[place]]
        if row["key"].tobytes() != key or row["checksum"] != _checksum(row):
            return None
        try:
            if (int(row["size"]), int(row["modified"])) != file_state(
                utterance.audio_path
            ):
                return None
        except OSError:
            return None
        return Heard(*row["heard"].tolist())

    def keep(self, utterance: Utterance, heard: Heard) -> None:
        """Remember what the audio of an utterance is."""
        if self._path is None:
            return
        try:
            self._new.append(
                (_key(utterance), *file_state(utterance.audio_path), heard, 0)
            )
        except OSError:
            return  # it has just gone
        if time.monotonic() - self._written_at > PAUSE:
            self._append()

    def close(self) -> None:
        """Write what is new, if the whole was worth it."""
        if self._is_begun or time.monotonic() - self._written_at > PAUSE:
            self._append()

    def _append(self) -> None:
        """Write what is new, whole or not at all; a cache is no reason to fail."""
        if self._path is None or not self._new:
            return
        rows = np.array(self._new, _ROW)
        for row in rows:
            row["checksum"] = _checksum(row)
        try:
            _append_rows(self._path, rows.tobytes())
        except (OSError, InputError) as error:
            log.warning(
                "%s: cannot be written (%s), what files hold is not remembered",
                self._path,
                reason(error),
            )
            self._path = None
        self._new.clear()
        self._is_begun = True
        self._written_at = time.monotonic()


def _open(path: Path) -> np.ndarray:
    """The rows of a cache, mapped; it is made anew where it is no cache."""
    try:
        with path.open("rb") as file:
            header = file.read(len(_HEADER))
            size = os.fstat(file.fileno()).st_size - len(_HEADER)
        if header == _HEADER and size % _ROW.itemsize == 0:
            if size == 0:
                return np.empty(0, _ROW)
            rows = np.memmap(path, _ROW, "r", offset=len(_HEADER))
            keys = _shorten(rows["key"])
            if 2 * len(np.unique(keys)) >= len(keys):
                return rows
            # Most rows are of files that have changed since.
            _, newest = np.unique(keys[::-1], return_index=True)
            kept = rows[np.sort(len(rows) - 1 - newest)]
        elif header == _HEADER:  # the last row was cut off
            whole = size // _ROW.itemsize
            kept = np.fromfile(path, _ROW, whole, offset=len(_HEADER))
        else:
            kept = np.empty(0, _ROW)
        replace_file(path, _HEADER + kept.tobytes())
        return kept
    except FileNotFoundError:
        return np.empty(0, _ROW)
    except (OSError, ValueError, InputError) as error:
        log.warning("%s: cannot be read (%s), is made anew", path, reason(error))
        return np.empty(0, _ROW)


def _append_rows(path: Path, content: bytes) -> None:
    if not path.exists():
        replace_file(path, _HEADER)
    # One system call: what other processes append comes before or behind it.
    file = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        if (written := os.write(file, content)) < len(content):
            os.ftruncate(file, os.fstat(file).st_size - written)
            raise OSError("no space left")
    finally:
        os.close(file)


def _checksum(row: np.void) -> int:
    return zlib.crc32(row.tobytes()[:-4])


def _short(key: bytes) -> int:
    return int.from_bytes(key[:8], "little")


def _shorten(keys: np.ndarray) -> np.ndarray:
    """The first 8 bytes of each key, as numbers, which are sorted fast."""
    both = np.frombuffer(np.ascontiguousarray(keys).tobytes(), "<u8")
    return both.reshape(-1, 2)[:, 0]


def _key(utterance: Utterance) -> bytes:
    """Of a file, and of the part of it that belongs to the utterance."""
    part = (utterance.offset, utterance.duration) if utterance.partial else ()
    name = f"{os.path.abspath(utterance.audio_path)}\0{part}"
    if utterance.byte_range is not None:
        name += f"\0{utterance.byte_range}"
    return hashlib.blake2b(
        name.encode("utf-8", "surrogateescape"), digest_size=16
    ).digest()
