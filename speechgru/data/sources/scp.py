"""Kaldi's wav.scp: names of recordings, and where they are."""

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from speechgru.bounded import open_file
from speechgru.data.sources.lines import read_numbered
from speechgru.data.sources.reading import Reading
from speechgru.data.sources.roots import find_root
from speechgru.interfaces import InputError
from speechgru.records import show


@dataclass(frozen=True)
class Recording:
    """A line of wav.scp.

    Attributes:
        path: of a file.
        start: first byte of the recording in an archive of them; None: all of it.
    """

    path: Path
    start: int | None = None


def read_table(path: Path, reading: Reading) -> dict[str, str]:
    """A file of a name and what belongs to it, a line."""
    table: dict[str, str] = {}
    for number, line in read_numbered(path, "lines of a name and a value"):
        name, *rest = line.strip().split(maxsplit=1) or [""]
        if not name:
            continue
        if name in table:
            reading.add_problem(
                f"{path}:{number}: '{name}' occurs twice, expected once; run "
                "utils/fix_data_dir.sh"
            )
        table[name] = rest[0] if rest else ""
    return table


def read_recordings(
    folder: Path, root: Path | None, reading: Reading
) -> dict[str, Recording]:
    """The recordings of wav.scp by their names; a command is a mistake."""
    table = read_table(folder / "wav.scp", reading)
    found: dict[str, Recording] = {}
    for name, value in table.items():
        if is_command(value):
            file = decoded_file(value)
            if file is None:
                reading.add_problem(
                    f"{folder / 'wav.scp'}: {name}: {show(value)} is a command, "
                    "expected a file; it is not run, since the folder may come from a "
                    "stranger: if you trust it, run speechgru convert "
                    f"{shlex.quote(str(folder))} manifest output=NEW.jsonl "
                    "trust_pipes=true"
                )
                continue
            value = file
        place = re.fullmatch(r"(.+):(\d+)", value)
        if place and not os.path.exists(value):
            found[name] = Recording(Path(place[1]), int(place[2]))
        else:
            found[name] = Recording(Path(value))
    base = root if root is not None else _find_root(folder, found)
    return {
        name: Recording(base / recording.path, recording.start)
        for name, recording in found.items()
    }


def is_command(value: str) -> bool:
    """Whether what wav.scp says is run, to or from a pipe."""
    return value.endswith("|") or value.startswith("|") or value == "-"


def decoded_file(command: str) -> str | None:
    """The file that a command does nothing but decode, or None.

    >>> decoded_file("flac -c -d -s a/b.flac |")
    'a/b.flac'
    >>> decoded_file("rm -rf / |")
    """
    text = command.removesuffix("|").strip()
    if re.search(r"[|&;<>()$`\\*?{}\[\]~#!\n]", text):
        return None
    try:
        program, *words = shlex.split(text)
    except ValueError:
        return None
    harmless = {
        "flac": r"-[cds]+|--(stdout|decode|silent)",
        "cat": r"",
        "sph2pipe": r"-f|wav|-p",
    }.get(os.path.basename(program))
    if harmless is None or not words:
        return None
    *flags, file = words
    is_plain = all(re.fullmatch(harmless, flag) for flag in flags)
    return file if is_plain and not file.startswith("-") else None


def _find_root(folder: Path, recordings: dict[str, Recording]) -> Path:
    """Where relative paths begin: Kaldi's own scripts run two folders above."""
    relative = [r.path for r in recordings.values() if not r.path.is_absolute()]
    if not relative:
        return folder
    places = [Path.cwd(), folder, folder.absolute().parent.parent]
    return find_root(str(folder / "wav.scp"), str(relative[0]), places)


def find_wave(recording: Recording) -> tuple[int, int]:
    """First byte and size of a WAV in an archive, as its header says."""
    start = recording.start or 0
    try:
        with open_file(recording.path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(start)
            head = file.read(12)
    except OSError as error:
        raise InputError(
            f"{recording.path}: cannot be opened ({error.strerror}), expected an "
            "archive of recordings; correct wav.scp"
        ) from error
    length = int.from_bytes(head[4:8], "little") + 8
    is_wave = head[:4] == b"RIFF" and head[8:] == b"WAVE"
    if not is_wave or not 12 < length <= size - start:
        raise InputError(
            f"{recording.path}: no whole WAV begins at byte {start} of {size}, "
            "expected one; correct wav.scp, or write the archive anew"
        )
    return start, length
