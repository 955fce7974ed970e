"""From any source to what other systems read, or to manifests."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from speechgru.interfaces import InputError, Utterance

TARGETS = ("manifest", "lhotse", "kaldi")


def convert(
    splits: Mapping[str, Sequence[Utterance]],
    target: str,
    output: Path,
    is_alone: bool,
    overwrite: bool = False,
) -> list[str]:
    """Write utterances as a target; nothing that it can hold is lost.

    Args:
        splits: utterances by split.
        target: one of TARGETS.
        output: a file or folder of the only split, or the folder of all.
        is_alone: whether there is one split, which is the output itself.
        overwrite: what is there already.

    Returns:
        Lines for people: what was written, and what the target does not hold.

    Raises:
        InputError: something is there already, or the target cannot hold an utterance.
    """
    module = import_module(f"speechgru.data.targets.{target}")
    places = {
        split: output if is_alone else output / f"{split}{module.ENDING}"
        for split in splits
    }
    for place in places.values():
        is_empty = place.is_dir() and not any(place.iterdir())
        if place.exists() and not is_empty and not overwrite:
            raise InputError(
                f"{place}: is there already, expected a new place; set output=PATH to "
                "another, or set overwrite=true"
            )
    lines = []
    for split, utterances in splits.items():
        try:
            notes = module.write(places[split], utterances)
        except InputError as error:
            if not output.exists():
                raise
            raise InputError(
                f"{error}\n{output} is not complete: overwrite=true writes it anew"
            ) from error
        lines.append(f"{places[split]}: {len(utterances)} utterances")
        lines += [f"{places[split]}: {note}" for note in notes]
    return lines


def ending_of(target: str) -> str:
    """What names of files of a target end in; "": it is a folder."""
    module = import_module(f"speechgru.data.targets.{target}")
    return str(module.ENDING)
