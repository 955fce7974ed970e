"""What files held when they were last decoded, kept between runs."""

import hashlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

from speechgru.data.validation.listening import Heard
from speechgru.files import replace_file
from speechgru.interfaces import InputError, Utterance

_WORTH_IT = 512
"""New utterances from which on a cache is written; fewer take less than a second."""

log = logging.getLogger(__name__)

_HEADER = {"speechgru": "examined audio", "version": 1}


class ExaminedAudio:
    """Remembers sound audio by path, size and time of its file.

    A file that has changed is decoded again; so is one with a problem, always. A
    cache that cannot be read is made anew.

    Args:
        path: of the cache; it need not exist. None: nothing is remembered.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._entries: dict[bytes, bytes] = {}
        self._num_new = 0
        if path is not None:
            self._entries = _read(path)

    def find(self, utterance: Utterance) -> Heard | None:
        """What the audio of an utterance was, if its file is what it was."""
        if not self._entries:
            return None
        entry = self._entries.get(_key(utterance))
        if entry is None:
            return None
        try:
            size, modified, *heard = json.loads(entry)
            if (size, modified) != _state(utterance):
                return None
            return Heard(*heard)
        except (OSError, ValueError, TypeError):
            return None

    def keep(self, utterance: Utterance, heard: Heard) -> None:
        """Remember what the audio of an utterance is."""
        if self._path is None:
            return
        try:
            entry = json.dumps([*_state(utterance), *astuple(heard)])
        except OSError:
            return  # it has just gone
        self._entries[_key(utterance)] = entry.encode()
        self._num_new += 1

    def write(self) -> None:
        """Write what is new, whole or not at all; a cache is no reason to fail."""
        if self._path is None or self._num_new < _WORTH_IT:
            return
        try:
            replace_file(self._path, b"\n".join(self._lines()))
        except InputError as error:
            log.warning("what files hold is not remembered: %s", error)

    def _lines(self) -> Iterator[bytes]:
        yield json.dumps(_HEADER).encode()
        for key, entry in self._entries.items():
            yield key.hex().encode() + b" " + entry


def _read(path: Path) -> dict[bytes, bytes]:
    entries: dict[bytes, bytes] = {}
    try:
        with path.open("rb") as file:
            if json.loads(file.readline()) != _HEADER:
                return {}
            for line in file:
                key, _, entry = line.rstrip(b"\n").partition(b" ")
                entries[bytes.fromhex(key.decode())] = entry
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        log.warning("%s: cannot be read (%s), is made anew", path, error)
        return {}
    return entries


def _key(utterance: Utterance) -> bytes:
    """Of a file, and of the part of it that belongs to the utterance."""
    part = (utterance.offset, utterance.duration) if utterance.partial else ()
    name = f"{os.path.abspath(utterance.audio_path)}\0{part}"
    if utterance.byte_range is not None:
        name += f"\0{utterance.byte_range}"
    return hashlib.blake2b(
        name.encode("utf-8", "surrogateescape"), digest_size=16
    ).digest()


def _state(utterance: Utterance) -> tuple[int, int]:
    status = os.stat(utterance.audio_path)
    return status.st_size, status.st_mtime_ns
