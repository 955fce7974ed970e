"""The recordings in a folder: every one is found, and what is none is left out."""

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import soundfile

from speechgru.files import printable, reason

DECODED = {f".{name.lower()}" for name in soundfile.available_formats()} | {
    *(".aif", ".aifc", ".oga", ".opus", ".sph"),
}
"""Endings of names of recordings that can usually be decoded."""

_OTHER_ENDINGS = (
    ".snd .sf .nst .iff .8svx .bwf .spx .mp2 .mpga .gsm .vox "
    ".m4a .m4b .m4p .m4r .mp4 .m4v .mov .qt .3gp .3gpp .3g2 .aac .adts .ac3 .eac3 .dts "
    ".alac .ape .wv .tta .tak .mpc .amr .awb .wma .wmv .asf .avi .flv .f4v .f4a .webm "
    ".weba .mka .mkv .ogv .ogx .ogm .mpg .mpeg .mts .m2ts .vob .ra .rm .rmvb .dsf .dff "
    ".dss .ds2 .pcm .thd"
)
MEDIA = DECODED | set(_OTHER_ENDINGS.split())
"""Endings of names of recordings, whether they can be decoded or not."""

_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@dataclass
class Listing:
    """What is in a folder.

    Attributes:
        files: paths of the recordings, sorted.
        problems: what could not be looked at or is no file though its name is
            that of a recording, and why; by path.
    """

    files: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)


def list_recordings(folder: str | os.PathLike[str]) -> Listing:
    """Find every recording below a folder, by the ending of its name.

    Links to folders are followed, each folder is entered once. What is hidden is
    left out, as by a glob: with it `._a.wav`, which macOS puts beside a.wav.
    """
    listing = Listing()
    for path, is_folder in walk(os.fspath(folder), listing.problems):
        if not is_folder and os.path.splitext(path)[1].lower() in MEDIA:
            _add(listing, path)
    listing.files.sort()
    return listing


def find_paths(pattern: str, folder: Path | None = None) -> list[str]:
    """Paths that match a glob, sorted; `**` follows links, but not in circles.

    glob.glob goes round them, in two circles practically for ever.

    Args:
        pattern: the glob.
        folder: where a relative one begins, whose own name is no pattern; None: the
            working directory.
    """
    if folder is not None:
        pattern = os.path.join(glob.escape(str(folder)), pattern)
    parts = pattern.split("/")
    if "**" not in parts:
        return sorted(glob.glob(pattern))
    place = parts.index("**")
    found = []
    for base in glob.glob("/".join([*parts[:place], ""])) if place else ["."]:
        for path, _ in walk(base, {}):
            names = os.path.relpath(path, base).split("/")
            if _matches(names, parts[place:]):
                found.append(path if place else path.removeprefix("./"))
    return sorted(found)


def _matches(names: Sequence[str], parts: Sequence[str]) -> bool:
    if not parts or not names:
        return not names and all(part == "**" for part in parts)
    if parts[0] == "**":
        return _matches(names, parts[1:]) or _matches(names[1:], parts)
    return fnmatchcase(names[0], parts[0]) and _matches(names[1:], parts[1:])


def walk(folder: str, problems: dict[str, str]) -> Iterator[tuple[str, bool]]:
    """All that is below a folder, and whether it is a folder, but what is hidden."""
    entered: set[tuple[int, int]] = set()
    # First the folders that are really there, then those that links lead to.
    waiting, linked = [folder], list[str]()
    while waiting or linked:
        path = waiting.pop() if waiting else linked.pop(0)
        try:
            found = os.stat(path)
            if (found.st_dev, found.st_ino) in entered:
                continue
            entered.add((found.st_dev, found.st_ino))
            with os.scandir(path) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            problems[path] = (
                f"{printable(path)}: cannot be read ({reason(error)}), expected a "
                "folder; correct its permissions, or leave it out"
            )
            continue
        for entry in inside:
            if entry.name.startswith("."):
                continue
            try:
                is_folder = entry.is_dir()
            except OSError:  # a link to itself, as whoever opens it will say
                is_folder = False
            if is_folder:
                (linked if entry.is_symlink() else waiting).append(entry.path)
            yield entry.path, is_folder


def without_repeats(paths: Iterable[str]) -> Iterator[str]:
    """Each file once that several links to folders lead to, by its first path."""
    seen = set()
    for path in paths:
        parent, name = os.path.split(path)
        key = os.path.realpath(parent), name
        if key not in seen:
            seen.add(key)
            yield path


def _add(listing: Listing, path: str) -> None:
    try:
        mode = os.stat(path).st_mode
    except OSError:
        listing.files.append(path)  # a link to nothing, as whoever opens it will say
        return
    kind = next((name for is_kind, name in _KINDS if is_kind(mode)), None)
    if kind is None:
        listing.files.append(path)
    else:
        listing.problems[path] = (
            f"{printable(path)}: {kind}, expected a file; name it by itself if it is "
            "to be read"
        )
