"""What a run is, beside its configuration."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from speechgru.training.length import Length


@dataclass(frozen=True)
class Run:
    """What a run is, beside its configuration.

    Attributes:
        folder: of the run.
        recipe: name, for the checkpoint's metadata.
        last: description in the checkpoint to resume from, if it is resumed.
        is_first: whether this is the first of its processes.
        length: how many steps it has.
    """

    folder: Path
    recipe: str | None
    last: dict[str, Any] | None
    is_first: bool
    length: "Length"
