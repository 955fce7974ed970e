"""What a part of the kit found, in a file that is whole after every row."""

import json
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from machine import describe_machine
from sizes import Sizes

from speechgru.files import replace_file
from speechgru.provenance import find_commit

PARTS = ("tests", "speed", "waits", "an4", "host")
"""In the order in which they run."""

NOT_MEASURED = "not_measured"
"""Key of a row, or of a file, that says why there is no number."""


class Record:
    """Keeps the rows of a part; each is on the disk once it is known.

    Args:
        folder: where `<part>.json` is written.
        part: name.
        sizes: how much is measured.
        seconds: that the part may take.
    """

    def __init__(self, folder: Path, part: str, sizes: Sizes, seconds: float) -> None:
        self._path = folder / f"{part}.json"
        self._began_at = time.monotonic()
        self._seconds = seconds
        self._rows: list[dict[str, Any]] = []
        commit = find_commit("speechgru", "conf", "benchmarks/gpu/*.py")
        self._head = {
            "part": part,
            "dry_run": sizes.is_dry_run,
            "machine": describe_machine(sizes.device),
            "commit": commit or "unknown",
            "date": str(date.today()),
        }

    @property
    def seconds_left(self) -> float:
        """Until the part's time is up."""
        return self._began_at + self._seconds - time.monotonic()

    def add(self, **row: Any) -> None:
        """Keep a row, of plain values."""
        self._rows.append(row)
        self._write({})
        numbers = {k: v for k, v in row.items() if not isinstance(v, dict)}
        print(f"{self._head['part']}: {json.dumps(numbers)}", flush=True)

    def end(self, why_not: str | None = None) -> None:
        """Write how long it took, and why something was not measured, if so."""
        self._write({} if why_not is None else {NOT_MEASURED: why_not})

    def _write(self, more: Mapping[str, Any]) -> None:
        taken = round(time.monotonic() - self._began_at, 1)
        content = {**self._head, "seconds": taken, **more, "rows": self._rows}
        text = json.dumps(content, indent=1, allow_nan=False) + "\n"
        replace_file(self._path, text.encode())


def read_records(folder: Path) -> dict[str, dict[str, Any]]:
    """What stands in a folder, by part; dry runs are left out."""
    records = {}
    for part in PARTS:
        path = folder / f"{part}.json"
        if path.exists():
            record = json.loads(path.read_text())
            if not record["dry_run"]:
                records[part] = record
    return records
