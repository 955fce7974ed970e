"""The sessions of VoxForge: a folder each, as volunteers have made them."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from speechgru.data.corpora.left_out import LeftOut
from speechgru.files import read_lines
from speechgru.interfaces import InputError

_DATED = re.compile(r"(.+?)[-_]\d{8}(?!\d)")
_ANONYMOUS = "anonymous"
_PROMPTS = ("PROMPTS", "prompts-original")
"""Tables of texts; the second one is as they were shown, with case and punctuation."""


class Prompted(NamedTuple):
    """A recording with its text.

    Attributes:
        session: folder, whose name begins with the speaker's.
        path: of the recording.
        text: as it was to be read.
    """

    session: str
    path: Path
    text: str


def read_session(folder: Path) -> tuple[list[Prompted], list[LeftOut]]:
    """Pair the recordings of a session with its texts.

    Recordings lie in wav/ or flac/, texts in etc/PROMPTS, or in
    etc/prompts-original where there is no other. A recording without text, or with
    two, a text without recording, and a file of 0 bytes are left out; so is a folder
    that has nothing of this.
    """
    left_out: list[LeftOut] = []

    def leave_out(name: str, reason: str) -> None:
        left_out.append(LeftOut("", f"{folder.name}/{name}", reason))

    try:
        texts = _read_prompts(folder / "etc")
    except InputError as error:
        texts = {}
        leave_out("etc", str(error))
    prompted = []
    for path in _list_recordings(folder):
        found = texts.pop(path.stem, ())
        if len(found) != 1:
            leave_out(path.name, "two transcripts" if found else "no transcript")
        elif path.stat().st_size == 0:
            leave_out(path.name, "0 bytes")
        else:
            prompted.append(Prompted(folder.name, path, found[0]))
    for stem in texts:
        leave_out(stem, "no recording")
    if not prompted and not left_out:
        leave_out("", "neither recordings nor transcripts")
    return prompted, left_out


def name_speaker(session: str) -> str | None:
    """Who speaks in a session, as its name says; None: nobody can tell.

    Names are in lower case: who writes his own in two ways is one speaker.

    >>> name_speaker("ralfherzog-20070809-de1")
    'ralfherzog'
    >>> name_speaker("anonymous-20080425-awc") is None
    True
    """
    match = _DATED.match(session.lower())
    if match is None or match[1] == _ANONYMOUS:
        return None
    return match[1]


def _list_recordings(folder: Path) -> Iterator[Path]:
    """Those in wav/, or else in flac/, in the order of their names."""
    for kind in ("wav", "flac"):
        paths = sorted((folder / kind).glob(f"*.{kind}"))
        if paths:
            yield from paths
            return


def _read_prompts(folder: Path) -> dict[str, Sequence[str]]:
    """Texts by the name of the recording, without repeats.

    Lines are such as `1028-20100710-hne/mfc/a0405 IT SEEMED THE ORDAINED ORDER`.
    """
    path = next((p for name in _PROMPTS if (p := folder / name).is_file()), None)
    texts: dict[str, list[str]] = {}
    if path is None:
        return {}
    for line in read_lines(path, "prompts"):
        name, *words = line.split() or [""]
        found = texts.setdefault(PurePosixPath(name).name, [])
        if words and " ".join(words) not in found:
            found.append(" ".join(words))
    return {stem: found for stem, found in texts.items() if found}
