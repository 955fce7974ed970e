"""What a run trains on and is validated on, written down and held to later."""

import functools
import hashlib
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from speechgru.data.randomness import keyed_seed
from speechgru.data.utterances import durations_of, select
from speechgru.files import file_state, read_lines, write_json_lines
from speechgru.interfaces import InputError, Utterance
from speechgru.remote import address_of

Record = dict[str, Any]
Inventory = dict[str, list[Record]]
"""Records by split, in the order in which the run counts them."""

MOST_RECORDED = 100_000
"""Utterances of a split that are all recorded; of more, as many as `NUM_DRAWN`."""

NUM_DRAWN = 10_000
"""Utterances that stand for a larger split, besides the durations of all."""

ALL = ""
"""Id, as no utterance has it, of a split of which only some are recorded."""

_NOT_WRITTEN = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What comes of lines that no run has written."""

_BLOCK = 1 << 16  # bytes; of a longer file the first, the middle and the last
_MAX_LISTED = 5


def record_utterances(
    utterances: Sequence[Utterance], known: Mapping[str, Record] | None = None
) -> list[Record]:
    """Describe utterances with their audio; of very many, some of them.

    Which some does not depend on the machine, so the same are compared later.

    Args:
        utterances: of a split.
        known: earlier records by id. A file whose size and time are still
            those is not read again.
    """
    known = known or {}
    total, first = len(utterances), list[Record]()
    if total > MOST_RECORDED:
        digest = hashlib.blake2b(durations_of(utterances), digest_size=16).hexdigest()
        first.append({"id": ALL, "utterances": total, "durations": digest})
        draw = random.Random(keyed_seed("inventory", total))
        indices = sorted(draw.sample(range(total), NUM_DRAWN))
        utterances = select(utterances, indices)
    records = [_record_utterance(u, known.get(u.id, {})) for u in utterances]
    return first + records


def record_texts(texts: Sequence[tuple[str, str]]) -> list[Record]:
    """Describe texts (id, text) that have no audio."""
    return [{"id": id, "text": text} for id, text in texts]


def record_files(paths: Sequence[Path]) -> list[Record]:
    """Describe audio files that are no utterances, e.g. recordings of noise."""
    return [{"id": str(path), **_record_file(path, {})} for path in paths]


def write_inventory(path: Path, inventory: Inventory) -> None:
    """Write one record a line, whole or not at all."""
    write_json_lines(
        path,
        (
            {"split": split, **record}
            for split, records in inventory.items()
            for record in records
        ),
    )


def read_inventory(path: Path) -> Inventory:
    """Read what `write_inventory` wrote. Raises InputError: damaged."""
    inventory: Inventory = {}
    for number, line in enumerate(read_lines(path, "an inventory"), start=1):
        if not line:
            continue
        try:
            record = json.loads(line)
            inventory.setdefault(record.pop("split"), []).append(record)
            if not isinstance(record["id"], str):
                raise TypeError("the id is no text")
        except _NOT_WRITTEN as error:
            raise InputError(
                f"{path}:{number}: not what a run writes ({error!r}); bring the file "
                "back, or remove it to go on without knowing whether the data is "
                "still the same"
            ) from error
    return inventory


def by_id(records: Sequence[Record]) -> dict[str, Record]:
    """Records by their id."""
    return {record["id"]: record for record in records}


def find_differences(before: Inventory, now: Inventory) -> list[str]:
    """Say, split by split, in what the data has become other data.

    Times of files do not count: copies change them.
    """
    return [
        f"{split}: {difference}"
        for split in sorted(before.keys() | now.keys(), reverse=True)  # train first
        for difference in _compare(before.get(split, []), now.get(split, []))
    ]


def _compare(before: list[Record], now: list[Record]) -> Iterator[str]:
    then, here = by_id(before), by_id(now)
    if then.get(ALL) != here.get(ALL):
        yield f"{_describe_all(then)} when the run began, {_describe_all(here)} now"
        return
    missing = [id for id in then if id not in here]
    added = [id for id in here if id not in then]
    if missing or added:
        listed = [
            f"{kind}: {_list(ids)}"
            for kind, ids in (("missing", missing), ("new", added))
            if ids
        ]
        yield f"{len(before)} when the run began, {len(now)} now; {'; '.join(listed)}"
    elif [record["id"] for record in before] != [record["id"] for record in now]:
        pairs = zip(before, now, strict=False)  # an id may be there twice
        moved = next((b["id"] for b, n in pairs if b["id"] != n["id"]), "the end")
        yield f"the same {len(now)}, in another order from {moved} on"
    changed = [
        f"{id} ({difference})"
        for id in then
        if id in here and (difference := _differ(then[id], here[id]))
    ]
    if changed:
        yield f"{len(changed)} of {len(now)} changed: {_list(changed)}"


def _describe_all(records: Mapping[str, Record]) -> str:
    if ALL not in records:
        return f"{len(records)}"
    whole = records[ALL]
    return f"{whole.get('utterances')} of the durations {whole.get('durations')}"


def _differ(before: Record, now: Record) -> str | None:
    for key in ("text", "duration", "offset", "byte_range"):
        if before.get(key) != now.get(key):
            return f"{key} was {before.get(key)!r}, is {now.get(key)!r}"
    if before.get("address") != now.get("address"):
        return f"it was at {before.get('address')}, is at {now.get('address')}"
    if "missing" in now:
        return f"{now['missing']} is missing"
    if before.get("size") != now.get("size"):
        return f"the file had {before.get('size')} bytes, has {now.get('size')}"
    if before.get("digest") != now.get("digest"):
        return "other audio in the file"
    return None


def _list(items: Sequence[str]) -> str:
    rest = len(items) - _MAX_LISTED
    return ", ".join(items[:_MAX_LISTED]) + (f" and {rest} more" if rest > 0 else "")


def _record_utterance(utterance: Utterance, known: Record) -> Record:
    record = {
        "id": utterance.id,
        "text": utterance.text,
        "duration": utterance.duration,
    }
    if utterance.partial:
        record["offset"] = utterance.offset
    if utterance.byte_range is not None:
        record["byte_range"] = list(utterance.byte_range)
    return record | _record_file(utterance.audio_path, known)


def _record_file(path: Path, known: Record) -> Record:
    if (address := address_of(path)) is not None:
        return {"address": address}  # whether it is here now or not
    try:
        size, modified = file_state(path)
        same = (size, modified) == (known.get("size"), known.get("modified"))
        digest = known.get("digest") if same else None
        if digest is None:
            digest = _digest(path, size, modified)
    except OSError:
        return {"missing": str(path)}
    return {"size": size, "modified": modified, "digest": digest}


@functools.lru_cache(1024)  # many utterances may be parts of one file
def _digest(path: Path, size: int, modified: int) -> str:
    """Digest a file of up to three blocks, or three blocks of a longer one."""
    digest = hashlib.blake2b(digest_size=16)
    starts = (0, size // 2, size - _BLOCK) if size > 3 * _BLOCK else (0,)
    with path.open("rb") as file:
        for start in starts:
            file.seek(start)
            digest.update(file.read(_BLOCK if len(starts) > 1 else size))
    return digest.hexdigest()
