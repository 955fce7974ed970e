"""One shard: a tar file of recordings and what is known of each."""

import hashlib
import json
import os
import tarfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from speechgru.audio import AudioError
from speechgru.data.manifest import check_unicode
from speechgru.data.segments import SegmentReader
from speechgru.data.shards.contents import Shard
from speechgru.data.shards.encoding import Encoding
from speechgru.data.shards.keys import to_key
from speechgru.files import reason, to_json
from speechgru.interfaces import InputError, Utterance

_BLOCK = 512
_END = 2 * _BLOCK  # zeros, by which a tar file ends


@dataclass(frozen=True)
class Skipped:
    """An utterance that is in no shard.

    Attributes:
        split: where it would be.
        id: of it.
        kind: of the problem, as the doctor has it.
        message: item, found, expected, remedy.
    """

    split: str
    id: str
    kind: str
    message: str


@dataclass(frozen=True)
class Written:
    """A shard that is on the disk.

    Attributes:
        shard: what it is.
        lines: of the index, one an utterance.
        skipped: utterances that could not be read.
    """

    shard: Shard
    lines: tuple[bytes, ...]
    skipped: tuple[Skipped, ...]

    def to_json(self) -> bytes:
        """As it is kept until all shards are there."""
        return to_json(
            {
                "shard": asdict(self.shard),
                "lines": [line.decode() for line in self.lines],
                "skipped": [asdict(each) for each in self.skipped],
            }
        )

    @classmethod
    def from_json(cls, content: bytes) -> "Written":
        """What `to_json` made. Raises ValueError, LookupError or TypeError."""
        record = json.loads(content)
        return cls(
            Shard(**record["shard"]),
            tuple(line.encode() for line in record["lines"]),
            tuple(Skipped(**each) for each in record["skipped"]),
        )


class DigestedFile:
    """A file that is written from its beginning to its end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, content: bytes) -> None:
        self._file.write(content)
        self._digest.update(content)
        self.size += len(content)

    def add_member(self, name: str, content: bytes) -> tuple[int, int]:
        """Add a file of the tar; its byte range."""
        info = tarfile.TarInfo(name)
        info.size = len(content)
        info.mode = 0o644
        self.write(info.tobuf(tarfile.PAX_FORMAT, errors="strict"))
        start = self.size
        self.write(content)
        self.write(bytes(-len(content) % _BLOCK))
        return start, len(content)

    def end(self) -> str:
        """End the tar file; the sha256 of it all."""
        self.write(bytes(_END))
        return self._digest.hexdigest()


def write_shard(
    path: Path,
    temporary: Path,
    name: str,
    split: str,
    utterances: Iterable[Utterance],
    encoding: Encoding,
    plan: str,
    skip: bool,
) -> Written:
    """Write one shard, whole or not at all.

    Args:
        path: of the shard.
        temporary: where it is written first, on the same file system.
        name: of the shard, as its index has it.
        split: it belongs to.
        utterances: in order.
        encoding: of the sound.
        plan: see `Shard`.
        skip: go on without an utterance that cannot be read.

    Raises:
        InputError: an utterance cannot be read, or the shard cannot be written.
    """
    lines, skipped = [], []
    reader, seconds, num_rounded, num_clipped = SegmentReader(), 0.0, 0, 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as opened:
            file = DigestedFile(opened)
            for utterance in utterances:
                check_unicode(utterance)
                try:
                    waveform, rate = reader.read(utterance)
                    encoded = encoding.encode(waveform, rate, utterance.id)
                    encoded.check(utterance.id)
                except InputError as error:
                    if not skip:
                        raise
                    kind = error.kind if isinstance(error, AudioError) else "rate"
                    skipped.append(Skipped(split, utterance.id, kind, str(error)))
                    continue
                record = _describe(utterance, encoded.num_samples, encoded.sample_rate)
                key = to_key(utterance.id)
                place = file.add_member(f"{key}.{encoding.format}", encoded.content)
                file.add_member(f"{key}.json", to_json(record))
                lines.append(_index_line(record, name, place))
                seconds += record["duration"]
                num_rounded += encoded.is_rounded
                num_clipped += encoded.num_clipped > 0
            digest = file.end()
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({reason(error)}); free some space, or check "
            "the folder's permissions, and start again: the shards that are there stay"
        ) from error
    shard = Shard(
        name,
        file.size,
        digest,
        len(lines),
        seconds,
        num_rounded,
        num_clipped,
        len(skipped),
        plan,
    )
    return Written(shard, tuple(lines), tuple(skipped))


def _describe(utterance: Utterance, num_samples: int, rate: int) -> dict[str, Any]:
    record: dict[str, Any] = {
        "id": utterance.id,
        "text": utterance.text,
        "duration": num_samples / rate,
        "sample_rate": rate,
    }
    if utterance.speaker is not None:
        record["speaker"] = utterance.speaker
    return record


def _index_line(record: dict[str, Any], name: str, place: tuple[int, int]) -> bytes:
    """A line of a manifest; see data/manifest.py."""
    line: dict[str, Any] = {
        "id": record["id"],
        "audio_filepath": name,
        "byte_range": list(place),
        **{
            key: record[key] for key in ("duration", "text", "speaker") if key in record
        },
    }
    return to_json(line)
