"""What of a corpus cannot be used: named, counted and written down."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from speechgru.files import write_json_lines


class LeftOut(NamedTuple):
    """A recording that is in no manifest.

    Attributes:
        split: in which it would be; empty where there are no splits yet.
        file: its name.
        reason: why it is left out.
    """

    split: str
    file: str
    reason: str


def write_left_out(root: Path, recordings: Sequence[LeftOut]) -> list[str]:
    """Write `left-out.jsonl` into the folder of the manifests.

    Returns:
        What to say, in lines; none where nothing is left out.
    """
    path = root / "left-out.jsonl"
    path.unlink(missing_ok=True)
    if not recordings:
        return []
    write_json_lines(path, (recording._asdict() for recording in recordings))
    first = recordings[0]
    return [
        f"left out, see {path}: {len(recordings)} recordings, e.g. {first.file} "
        f"({first.reason})"
    ]
