"""All that the doctor found, in plain values."""

from dataclasses import asdict
from typing import Any

from speechgru.data.validation.diagnosis import Diagnosis
from speechgru.files import to_json

RECORD_MARK = b'{\n "speechgru": "doctor"'
"""How such a file begins; one that does may be replaced by another."""


def make_record(diagnosis: Diagnosis) -> bytes:
    """All as JSON."""
    record = {"speechgru": "doctor", **to_record(diagnosis)}
    return to_json(record, indent=1) + b"\n"


def to_record(diagnosis: Diagnosis) -> dict[str, Any]:
    """What JSON can hold: sizes, problems, remarks with their utterances, and more."""
    measured = diagnosis.measured
    return {
        "utterances": diagnosis.num_utterances,
        "unhealthy": diagnosis.num_unhealthy,
        "splits": {
            split: asdict(summary) for split, summary in measured.summaries.items()
        },
        "estimates": list(measured.estimates),
        "problems": [
            {"index": index, **asdict(problem)} for index, problem in diagnosis.placed
        ],
        "remarks": [
            {
                "kind": remark.kind,
                "split": remark.split,
                "message": remark.message,
                "utterances": [
                    diagnosis.splits[remark.split][index].id
                    for index in remark.indices.tolist()
                ]
                if remark.split is not None
                else [],
            }
            for remark in diagnosis.remarks
        ],
        "histograms": [asdict(histogram) for histogram in measured.histograms],
        "characters": {
            split: dict(counts) for split, counts in measured.characters.items()
        },
    }
