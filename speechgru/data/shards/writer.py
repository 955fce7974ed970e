"""A corpus to a folder of shards, shard by shard, on all cores."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from speechgru.data.shards.contents import (
    CONTENTS_FILE,
    Contents,
    Split,
    StoredFile,
    read_contents,
)
from speechgru.data.shards.encoding import Encoding
from speechgru.data.shards.keys import to_key
from speechgru.data.shards.layout import bytes_per_second, cut, order
from speechgru.data.shards.parallel import in_parallel
from speechgru.data.shards.report import SKIPPED_FILE, ShardsReport
from speechgru.data.shards.tar import Written, write_shard
from speechgru.files import replace_file, to_json, write_json_lines
from speechgru.interfaces import InputError, Utterance
from speechgru.progress import Progress
from speechgru.threads import num_processors

UNFINISHED = ".unfinished"
"""Folder of what is needed to go on; it goes when all is done."""

_MB = 1e6


@dataclass(frozen=True)
class _Planned:
    """A shard to be written: which utterances of what."""

    split: str
    name: str
    utterances: Sequence[Utterance]
    indices: np.ndarray

    def load(self) -> "_Work":
        """Take the utterances themselves, which may be far more than the indices."""
        chosen = tuple(self.utterances[int(index)] for index in self.indices)
        return _Work(self.split, self.name, chosen)


@dataclass(frozen=True)
class _Work:
    """A shard to be written, as it is sent to another process."""

    split: str
    name: str
    utterances: tuple[Utterance, ...]

    def digest(self, encoding: Encoding) -> str:
        """Of all that the shard depends on, but the sound itself."""
        described = [
            [
                *(u.id, os.fspath(u.audio_path), u.duration, u.text, u.speaker),
                *(u.offset, u.partial, u.byte_range),
            ]
            for u in self.utterances
        ]
        plain = to_json([1, asdict(encoding), self.split, self.name, described])
        return hashlib.blake2b(plain, digest_size=16).hexdigest()


def write_shards(
    folder: Path,
    splits: Mapping[str, Sequence[Utterance]],
    encoding: Encoding,
    megabytes: float = 100.0,
    shuffled: bool = True,
    skip: bool = False,
    num_processes: int | None = None,
) -> ShardsReport:
    """Write a corpus to shards: `folder`/SPLIT/000000.tar and so on.

    Beside them lie SPLIT.jsonl, a manifest whose lines name shard and byte range, and
    at last shards.json, with sizes and digests. What was written stays if the work
    is ended in between; begun again, it goes on. The bytes are the same each time.

    Args:
        folder: new, or of the same work, begun before.
        splits: utterances by split.
        encoding: of the sound.
        megabytes: of a shard, about.
        shuffled: mix the utterances of each split; see `order`.
        skip: leave out utterances that cannot be read, and list them in
            skipped.jsonl, instead of ending with an error.
        num_processes: None: one for each core that this process may use.

    Raises:
        InputError: an utterance cannot be read; no space; the folder holds something
            else; another process writes there.
    """
    for split in splits:
        if to_key(split) != split:
            raise InputError(
                f"split {split!r} would be the name of a folder, expected letters, "
                "digits, - and _ only; rename it"
            )
    planned = [
        shard
        for split, utterances in splits.items()
        for shard in _plan(split, utterances, encoding, megabytes * _MB, shuffled)
    ]
    done = _read_done(folder)
    if done is not None:
        before = [s.plan for split in done.splits.values() for s in split.shards]
        if before != [each.load().digest(encoding) for each in planned]:
            raise InputError(
                f"{folder}: holds other shards already; name another folder, or remove "
                "this one"
            )
        return ShardsReport(folder, done, encoding)
    with _claim(folder) as unfinished:
        written = _write_all(folder, unfinished, planned, encoding, skip, num_processes)
        report = _finish(folder, splits, written, encoding)
    shutil.rmtree(unfinished, ignore_errors=True)
    return report


def _plan(
    split: str,
    utterances: Sequence[Utterance],
    encoding: Encoding,
    most: float,
    shuffled: bool,
) -> Iterator[_Planned]:
    if not len(utterances):
        raise InputError(f"split {split} has no utterances, expected some")
    indices = order(utterances, shuffled)
    rate = bytes_per_second(utterances, indices, encoding)
    for number, part in enumerate(cut(utterances, indices, rate, most)):
        yield _Planned(split, f"{split}/{number:06}.tar", utterances, part)


def _read_done(folder: Path) -> Contents | None:
    path = folder / CONTENTS_FILE
    return read_contents(path.read_bytes(), str(path)) if path.exists() else None


@contextmanager
def _claim(folder: Path) -> Iterator[Path]:
    """Be the only process that writes to a folder, which is ours."""
    unfinished = folder / UNFINISHED
    if folder.exists() and not unfinished.exists() and any(folder.iterdir()):
        raise InputError(
            f"{folder}: holds other files, expected a new folder, or one of shards "
            "that were begun; name another"
        )
    unfinished.mkdir(parents=True, exist_ok=True)
    with (unfinished / "lock").open("wb") as lock:
        try:
            # Not flock: the processes that encode would inherit the lock.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(
                f"{folder}: another process writes shards there; wait for it, or name "
                "another folder"
            ) from error
        yield unfinished


def _write_all(
    folder: Path,
    unfinished: Path,
    planned: Sequence[_Planned],
    encoding: Encoding,
    skip: bool,
    num_processes: int | None,
) -> list[Written]:
    """Write what is not there yet; all in the order of the plan."""
    work = partial(_write_one, folder, unfinished, encoding=encoding, skip=skip)
    count = min(num_processes or num_processors(), len(planned))
    works = (shard.load() for shard in planned)
    written: dict[int, Written] = {}
    with Progress("shards", len(planned), "shards") as progress:
        for number, result in in_parallel(work, works, count):
            written[number] = result
            progress.advance()
    return [written[number] for number in range(len(planned))]


def _write_one(
    folder: Path, unfinished: Path, shard: _Work, encoding: Encoding, skip: bool
) -> Written:
    """Write a shard, unless it is there."""
    flat = shard.name.replace("/", "-")
    record = unfinished / f"{flat}.json"
    plan = shard.digest(encoding)
    before = _read_record(record)
    path = folder / shard.name
    if (
        before is not None
        and before.shard.plan == plan
        and (skip or not before.skipped)
        and path.exists()
        and path.stat().st_size == before.shard.size
    ):
        return before
    written = write_shard(
        path,
        unfinished / flat,
        shard.name,
        shard.split,
        shard.utterances,
        encoding,
        plan,
        skip,
    )
    replace_file(record, written.to_json())
    return written


def _read_record(path: Path) -> Written | None:
    try:
        return Written.from_json(path.read_bytes())
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _finish(
    folder: Path,
    splits: Mapping[str, Sequence[Utterance]],
    written: Sequence[Written],
    encoding: Encoding,
) -> ShardsReport:
    """Write the indices and, last, what says that all is there."""
    contents: dict[str, Split] = {}
    for split in splits:
        own = [w for w in written if w.shard.name.startswith(f"{split}/")]
        index = b"".join(line + b"\n" for each in own for line in each.lines)
        if not index:
            raise InputError(
                f"split {split}: none of its utterances can be read; the first: "
                f"{own[0].skipped[0].message}"
            )
        name = f"{split}.jsonl"
        replace_file(folder / name, index)
        digest = hashlib.sha256(index).hexdigest()
        contents[split] = Split(
            StoredFile(name, len(index), digest), tuple(each.shard for each in own)
        )
    skipped = tuple(problem for each in written for problem in each.skipped)
    if skipped:
        write_json_lines(folder / SKIPPED_FILE, map(asdict, skipped))
    whole = Contents(asdict(encoding), contents)
    replace_file(folder / CONTENTS_FILE, whole.to_json())
    return ShardsReport(folder, whole, encoding)
