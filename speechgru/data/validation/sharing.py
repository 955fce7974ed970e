"""What may be there but once: ids within a split, audio among splits."""

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from speechgru.data.overlap import Intervals
from speechgru.data.validation.diagnosis import Found, Problem
from speechgru.interfaces import FilePart, Utterance


def repeated_ids(utterances: Sequence[Utterance]) -> set[int]:
    """Indices of those whose id an earlier one has."""
    first: dict[str, int] = {}
    for index, utterance in enumerate(utterances):
        first.setdefault(utterance.id, index)
    return set(range(len(utterances))) - set(first.values())


def repeated_id(split: str, utterance: Utterance) -> Problem:
    """The problem of an utterance whose id an earlier one has."""
    return Problem(
        split,
        utterance.id,
        "duplicate-id",
        f"{utterance.id}: id occurs twice in {split}, expected unique ids; rename or "
        "drop one",
    )


class SharedAudio:
    """Remembers all audio, to find what comes again.

    Attributes:
        num_repeated: by split, utterances with the very samples of another of it.
    """

    def __init__(self) -> None:
        self.num_repeated: Counter[str] = Counter()
        self._digests: dict[bytes, tuple[str, str]] = {}
        self._intervals = Intervals()

    def check(self, split: str, utterance: Utterance, digest: str) -> list[Found]:
        """Audio that an earlier split has, whole or in part.

        Args:
            split: of the utterance.
            utterance: whose place in its file is looked at.
            digest: of its samples, hexadecimal digits.
        """
        start = utterance.offset
        end = start + utterance.duration if utterance.partial else math.inf
        audio = _resolve_audio(utterance)
        shared = self._intervals.find_other(audio, split, start, end)
        self._intervals.add(audio, split, start, end, utterance.id)
        same = self._digests.setdefault(bytes.fromhex(digest), (split, utterance.id))
        if same[0] != split:
            shared = same
        elif same[1] != utterance.id:
            self.num_repeated[split] += 1
        if shared is None:
            return []
        other_split, id = shared
        return [
            (
                "leaked",
                f"{utterance.id}: {split} audio that is also in {other_split} (as "
                f"{id}), expected audio of its own; drop one of the two",
            )
        ]


def _resolve_audio(utterance: Utterance) -> Path | FilePart:
    path = _resolve(utterance.audio_path)
    if utterance.byte_range is None:
        return path
    return FilePart(path, *utterance.byte_range)


def _resolve(path: Path) -> Path:
    """What `path.resolve()` gives; the folder of many files is looked up once."""
    if path.is_symlink() or path.name in ("", ".."):
        return path.resolve()
    return _resolve_folder(path.parent) / path.name


@lru_cache(1024)
def _resolve_folder(folder: Path) -> Path:
    return folder.resolve()
