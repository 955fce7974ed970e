"""shards.json: what a folder of shards holds, and how to tell whether it is whole."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from speechgru.files import to_json
from speechgru.interfaces import InputError
from speechgru.records import show

CONTENTS_FILE = "shards.json"
_VERSION = 1
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)?")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_WRONG = (ValueError, LookupError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True)
class StoredFile:
    """A file of a folder of shards.

    Attributes:
        name: from the folder on, e.g. "train/000000.tar".
        size: bytes.
        sha256: of its content, hexadecimal.
    """

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Shard(StoredFile):
    """A tar file of utterances; see `StoredFile`.

    Attributes:
        utterances: in it.
        seconds: s of sound in it.
        rounded: utterances that were finer than 16 bits.
        clipped: utterances with samples beyond full scale.
        skipped: utterances that could not be read and are not in it.
        plan: digest of what it was made of and how.
    """

    utterances: int
    seconds: float
    rounded: int
    clipped: int
    skipped: int
    plan: str


@dataclass(frozen=True)
class Split:
    """A split of a folder of shards.

    Attributes:
        index: the manifest of its utterances, in the order of the shards.
        shards: in order.
    """

    index: StoredFile
    shards: tuple[Shard, ...]

    @property
    def utterances(self) -> int:
        """In all shards."""
        return sum(shard.utterances for shard in self.shards)

    @property
    def hours(self) -> float:
        """Of sound."""
        return sum(shard.seconds for shard in self.shards) / 3600


@dataclass(frozen=True)
class Contents:
    """What a folder of shards holds.

    Attributes:
        encoding: how sound is stored, e.g. {"format": "flac", ...}.
        splits: by name.
    """

    encoding: Mapping[str, Any]
    splits: Mapping[str, Split]

    def to_json(self) -> bytes:
        """As it is written to shards.json."""
        record = {
            "speechgru": "shards",
            "version": _VERSION,
            "encoding": dict(self.encoding),
            "splits": {name: asdict(split) for name, split in self.splits.items()},
        }
        return to_json(record, indent=1) + b"\n"


def read_contents(content: bytes, where: str) -> Contents:
    """Read a shards.json, which may be a stranger's.

    Args:
        content: of the file.
        where: its path or address, for messages.

    Raises:
        InputError: it is none, is of a later version, or names files elsewhere.
    """
    try:
        record = json.loads(content)
        if record["speechgru"] != "shards":
            raise ValueError(f"it is of {show(record['speechgru'])}")
        if record["version"] != _VERSION:
            raise ValueError(f"it has version {show(record['version'])}")
        splits = {
            str(name): Split(
                _check(StoredFile(**split["index"])),
                tuple(_check(Shard(**shard)) for shard in split["shards"]),
            )
            for name, split in record["splits"].items()
        }
        return Contents(dict(record["encoding"]), splits)
    except _WRONG as error:
        raise InputError(
            f"{where}: not what speechgru shard writes ({error}), expected version "
            f"{_VERSION}; fetch it again, or make the shards anew"
        ) from error


def _check(file: Any) -> Any:
    """See that a name leads nowhere else, and that numbers are numbers."""
    if not isinstance(file.name, str) or not _NAME.fullmatch(file.name):
        raise ValueError(f"name is {show(file.name)}")
    if type(file.size) is not int or file.size < 0:
        raise ValueError(f"size is {show(file.size)}")
    if not isinstance(file.sha256, str) or not _DIGEST.fullmatch(file.sha256):
        raise ValueError(f"sha256 is {show(file.sha256)}")
    if isinstance(file, Shard):
        for number in (file.utterances, file.seconds):
            if type(number) not in (int, float) or not 0 <= number < 1e12:
                raise ValueError(f"{show(number)} utterances or seconds")
    return file
