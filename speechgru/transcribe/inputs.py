"""From what a user names to recordings, and where their transcripts go."""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from glob import has_magic

from speechgru.bounded import read_stream
from speechgru.data.folder import find_paths, list_recordings, without_repeats
from speechgru.files import printable
from speechgru.interfaces import InputError
from speechgru.transcribe.excerpt import Excerpt
from speechgru.transcribe.transcript import NAMELESS, Failure

STANDARD_INPUT = "stdin"
"""What the transcript of standard input is called in a folder."""


@dataclass(frozen=True)
class Input:
    """A recording that was named, or one that cannot be transcribed.

    Attributes:
        source: path, content of standard input, or why there is none.
        place: its path below the folder that was named, or its mere name.
        start: s from its start to where hearing begins.
        end: s; None: it is heard to its end.
        channel: the one that is heard, from 0; None: the average of all.
        speaker: as the manifest says that named it, if it does.
    """

    source: str | bytes | Failure
    place: str
    start: float = 0.0
    end: float | None = None
    channel: int | None = None
    speaker: str | None = None

    @property
    def audio(self) -> str | bytes | Excerpt:
        """What is heard. Raises InputError: the source is a failure."""
        if isinstance(self.source, Failure):
            raise InputError(self.source.message)
        if not self.start and self.end is None and self.channel is None:
            return self.source
        return Excerpt(self.source, self.start, self.end, self.channel)


def list_inputs(names: Iterable[str]) -> list[Input]:
    """All recordings that names stand for, in their order; see `expand`."""
    return [
        Input(source, place_of(name, source))
        for name in names
        for source in expand(name)
    ]


def place_of(name: str, source: str | bytes | Failure) -> str:
    """Where a source lies below the folder, or the fixed part of the glob, named.

    >>> place_of("talks/*/a.wav", "talks/day1/a.wav")
    'day1/a.wav'
    """
    if isinstance(source, bytes):
        return STANDARD_INPUT
    path = source.source if isinstance(source, Failure) else source
    if os.path.isdir(name):
        return os.path.relpath(path, name)
    if os.path.lexists(name):
        return os.path.basename(path)
    fixed: list[str] = []
    for part in name.split("/"):
        if has_magic(part):
            break
        fixed.append(part)
    return os.path.relpath(path, "/".join([*fixed, ""]) or ".")


def expand_one(name: str) -> str | bytes:
    """The one source that a name stands for. Raises InputError."""
    [source, *others] = expand(name)
    if others:
        raise InputError(
            f"{name}: {len(others) + 1} recordings, expected 1; name one of them"
        )
    if isinstance(source, Failure):
        raise InputError(source.message)
    return source


def expand(name: str) -> list[str | bytes | Failure]:
    """Turn a file, folder, glob or - into sources.

    Whatever has the ending of a recording is one, and whatever is named itself;
    what is none, or cannot be found, is a Failure in its place.
    """
    if name == NAMELESS:
        return [_read_standard_input()]
    found: list[str | bytes | Failure]
    if os.path.isdir(name):
        found = [*_expand_folder(name)]
    elif os.path.lexists(name):
        return [name]
    else:
        by_path: dict[str, str | Failure] = {}
        for match in find_paths(name):
            for each in _expand_folder(match) if os.path.isdir(match) else [match]:
                by_path[each.source if isinstance(each, Failure) else each] = each
        # `**` matches folders, and what they hold.
        found = [by_path[path] for path in without_repeats(by_path)]
    if not found:
        message = (
            f"{printable(name)}: no audio found, expected a file, a folder with audio "
            "files, a glob, or - for standard input; check the path"
        )
        return [Failure(name, message)]
    return found


def _read_standard_input() -> bytes | Failure:
    try:
        return read_stream(sys.stdin.buffer)
    except OSError as error:
        message = (
            f"{NAMELESS}: standard input cannot be read ({error.strerror}), expected "
            "a recording, which is held in memory; write it into a file, and name that"
        )
        return Failure(NAMELESS, message)


def _expand_folder(folder: str) -> list[str | Failure]:
    listing = list_recordings(folder)
    problems = [Failure(path, why) for path, why in listing.problems.items()]
    return [*listing.files, *problems]
