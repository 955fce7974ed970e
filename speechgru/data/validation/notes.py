"""Remarks on a corpus that need no action."""

from collections.abc import Mapping, Sequence

from speechgru.interfaces import Utterance
from speechgru.text.changes import Changes

_ENOUGH = 20  # utterances of train, from which on a rare character is worth a note


def write_notes(
    splits: Mapping[str, Sequence[Utterance]],
    num_channels: Mapping[int, int],
    num_repeated: Mapping[str, int],
    users: Mapping[str, set[str]],
    changes: Changes | None,
) -> list[str]:
    """Lines on what is unusual.

    Args:
        splits: utterances by split name.
        num_channels: files by their number of channels.
        num_repeated: utterances that repeat another's audio, by split.
        users: ids of train by the token that they use.
        changes: what normalisation changes, or None.
    """
    notes = [
        f"{count} files have {channels} channels; they are averaged to mono"
        for channels, count in sorted(num_channels.items())
        if channels > 1
    ]
    notes += [
        f"{count} utterances of {split} repeat the audio of another"
        for split, count in num_repeated.items()
    ]
    if changes is not None:
        notes += changes.notes()
    rare = {c: ids for c, ids in users.items() if len(ids) == 1}
    if rare and len(splits.get("train", ())) >= _ENOUGH:
        some = ", ".join(f"{c!r} ({min(rare[c])})" for c in sorted(rare)[:10])
        notes.append(
            f"{len(rare)} of the tokens occur in a single utterance of train, too few "
            f"to be learnt: {some}"
        )
    speakers = {
        split: {u.speaker for u in utterances if u.speaker is not None}
        for split, utterances in splits.items()
    }
    names = list(splits)
    for position, split in enumerate(names):
        for other in names[position + 1 :]:
            shared = sorted(speakers[split] & speakers[other])
            if shared:
                some = ", ".join(shared[:5]) + (", ..." if len(shared) > 5 else "")
                notes.append(
                    f"{split} and {other} share speakers, {len(shared)} in all: {some}"
                )
    return notes
