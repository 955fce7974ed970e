"""All that the doctor found, in plain values."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from speechgru.data.validation.diagnosis import Diagnosis
from speechgru.data.validation.remark import Remark
from speechgru.files import to_json

RECORD_MARK = b'{\n "speechgru": "doctor"'
"""How such a file begins; one that does may be replaced by another."""


def record_parts(diagnosis: Diagnosis) -> Iterator[bytes]:
    """All as JSON, part by part: sizes, problems, remarks with their utterances.

    Problems may be as many as utterances; each has a line.
    """
    measured = diagnosis.measured
    summaries = {split: asdict(each) for split, each in measured.summaries.items()}
    problems = (
        {"index": index, **vars(problem)} for index, problem in diagnosis.placed
    )
    remarks = (_to_record(diagnosis, remark) for remark in diagnosis.remarks)
    yield RECORD_MARK
    yield from _values(
        {
            "utterances": diagnosis.num_utterances,
            "unhealthy": diagnosis.num_unhealthy,
            "splits": summaries,
            "estimates": list(measured.estimates),
        }
    )
    yield from _list("problems", problems)
    yield from _list("remarks", remarks)
    yield from _list("histograms", map(asdict, measured.histograms))
    yield from _values({"characters": measured.characters})
    yield b"\n}\n"


def _to_record(diagnosis: Diagnosis, remark: Remark) -> dict[str, Any]:
    split = remark.split
    indices = [] if split is None else remark.indices.tolist()
    return {
        "kind": remark.kind,
        "split": split,
        "message": remark.message,
        "utterances": [diagnosis.splits[str(split)][index].id for index in indices],
    }


def _values(values: Mapping[str, Any]) -> Iterator[bytes]:
    for name, value in values.items():
        yield b',\n "%s": %s' % (name.encode(), to_json(value))


def _list(name: str, items: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    yield b',\n "%s": [' % name.encode()
    before = b"\n  "
    for item in items:
        yield before + to_json(item)
        before = b",\n  "
    yield b"\n ]"
