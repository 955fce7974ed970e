"""What kind of source lies at a path."""

from itertools import islice
from pathlib import Path

from speechgru.data.folder import list_recordings
from speechgru.data.shards.contents import CONTENTS_FILE
from speechgru.data.sources.hf import SPLITS, STATE
from speechgru.data.sources.lines import read_objects
from speechgru.data.sources.nemo import expand_path
from speechgru.data.sources.splits import PICKLED
from speechgru.interfaces import InputError
from speechgru.remote import fetch, locate

_ENDINGS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".arrow": "hf",
    ".parquet": "parquet",
}


def guess_kind(place: str) -> str:
    """The choice of `corpus` that reads a path or an address.

    Raises:
        InputError: it looks like none of them.
    """
    path = locate(place)
    if path.is_dir():
        kind = _guess_folder(path)
    elif path.suffix in _ENDINGS:
        kind = _ENDINGS[path.suffix]
    elif path.suffix in PICKLED:
        raise InputError(
            f"{place}: pickled data or arrays; refused, since it may run code: export "
            "it as a manifest"
        )
    elif {".json", ".jsonl"} & {*path.suffixes[-2:]}:
        kind = _guess_lines(expand_path(path)[0])
    else:
        kind = None
    if kind is None:
        raise InputError(
            f"{place}: looks like no source that is known, expected a manifest, a "
            "folder of recordings, a table, or data of Kaldi, Lhotse, NeMo or Hugging "
            "Face; correct the path, or say what it is by corpus=KIND"
        )
    return kind


def _guess_folder(folder: Path) -> str | None:
    if (folder / "wav.scp").exists():
        return "kaldi"
    if (folder / CONTENTS_FILE).exists():
        return "shards"
    if any(folder.glob("cuts.*.jsonl*")):
        return "lhotse"
    if (folder / STATE).exists() or (folder / SPLITS).exists():
        return "hf"
    if any(folder.glob("*.parquet")):
        return "parquet"
    return "folder" if list_recordings(folder).files else None


def _guess_lines(path: Path) -> str | None:
    fetch(path, is_latest=True)
    for _, record in islice(read_objects(path, "a manifest"), 1):
        if "supervisions" in record or "recording" in record:
            return "lhotse"
        if "shard_id" in record:
            return "nemo"
        return "manifest" if "audio_filepath" in record else None
    return None
