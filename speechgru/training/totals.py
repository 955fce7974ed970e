"""What has gone into a model: time, epochs and steps, along the chain of its runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speechgru.checkpoint.storage import DESCRIPTION_KEY, read_checkpoint
from speechgru.progress import say_duration
from speechgru.records import get_number

BEFORE = "before"
"""In the metadata: the totals of the checkpoint that a run began with."""


def spent_seconds(last: Mapping[str, Any] | None) -> float:
    """The s that a run had taken when its last checkpoint was written.

    Args:
        last: description in it; None: there is none.
    """
    if last is None or "wall_seconds" not in last["metadata"]:
        return 0.0  # of an older version
    return max(0.0, get_number(last["metadata"], "wall_seconds", "a number"))


def totals_of(metadata: Mapping[str, Any]) -> dict[str, float]:
    """What has gone into a checkpoint, with the runs before its own.

    Args:
        metadata: of the checkpoint. What an older version did not write down is left
            out.
    """
    own = {
        "cpu_seconds": metadata.get("cpu_seconds"),
        "wall_seconds": metadata.get("wall_seconds"),
        "epochs": metadata.get("epoch"),
        "steps": metadata.get("step"),
    }
    before = metadata.get(BEFORE)
    before = before if isinstance(before, Mapping) else {}
    return {
        key: round(value + _number(before.get(key)), 1)
        for key, value in own.items()
        if isinstance(value, (int, float))
    }


def totals_before(init_from: Path | None) -> dict[str, float] | None:
    """What has gone into the checkpoint that a run begins with; None: there is none."""
    if init_from is None:
        return None
    return totals_of(read_checkpoint(init_from)[DESCRIPTION_KEY]["metadata"])


def describe_totals(metadata: Mapping[str, Any]) -> str:
    """Say it: 12 epochs, 340 steps, 0:12 h, 11.5 CPU-minutes."""
    totals = totals_of(metadata)
    said = [f"{totals[key]:.0f} {key}" for key in ("epochs", "steps") if key in totals]
    if "wall_seconds" in totals:
        said.append(say_duration(totals["wall_seconds"]))
    if "cpu_seconds" in totals:
        said.append(f"{totals['cpu_seconds'] / 60:.1f} CPU-minutes")
    return ", ".join(said)


def _number(value: Any) -> float:
    return value if isinstance(value, (int, float)) else 0.0
