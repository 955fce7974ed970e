"""A file for each recording: below a folder, or beside the recording."""

import errno
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from speechgru.files import printable, replace_file
from speechgru.interfaces import InputError
from speechgru.transcribe.format_table import Format
from speechgru.transcribe.inputs import Input
from speechgru.transcribe.open_files import allow_open_files
from speechgru.transcribe.places import encode, source_of, state_of
from speechgru.transcribe.record import (
    Entry,
    Line,
    Record,
    Settings,
    check_settings,
    digest,
    read_record,
)
from speechgru.transcribe.shard import Shard
from speechgru.transcribe.transcript import NAMELESS, Transcript

NEVER = (-1, -1)
"""State of no recording."""

RECORD = ".speechgru-transcribed{}.jsonl"
"""Name of the record in the folder, by the shard."""


class Folder:
    """Folders with files of each recording, called as it is.

    Processes that transcribe different shards may share a folder.

    Args:
        places: of each input the folder that its files go below, and their path there,
            without an ending.
        formats: one file of each.
        settings: that transcripts are made with.
        overwrite: replace whatever there is.
        shard: that this process transcribes.

    Raises:
        InputError: two recordings would share a file, or a file is there that is
            not of this program's making, or made with other settings.
    """

    def __init__(
        self,
        places: Mapping[Input, tuple[Path, str]],
        formats: Sequence[Format],
        settings: Settings,
        overwrite: bool,
        shard: Shard | None,
    ) -> None:
        self._places = places
        self._formats = formats
        self._settings = settings
        self._overwrite = overwrite
        self._records: dict[Path, Record] = {}
        self._lines: dict[Path, dict[str, list[Line]]] = {}
        self._states: dict[Input, tuple[int, int]] = {}
        self._check_apart()
        name = RECORD.format("" if shard is None else f"-{shard.name}")
        roots = dict.fromkeys(root for root, _ in places.values())
        allow_open_files(len(roots))
        try:
            for root in roots:
                self._records[root] = Record(root / name, settings)
                self._doubt_last(root)
                self._lines[root] = self._read(root, name)
        except BaseException:
            self.close()
            raise

    def is_done(self, each: Input) -> bool:
        """Whether its files are there, and it has not changed since.

        Raises:
            InputError: one of the files is there, and may not be replaced.
        """
        # Now: what changes while it is heard, is heard again the next time.
        state = self._states[each] = state_of(each)
        paths = self._paths(each)
        there = [path for path in paths if _lies(path)]
        if self._overwrite:
            return False
        root, stem = self._places[each]
        lines = self._lines[root].get(stem, [])
        if lines:
            newest = lines[-1]
            entry = newest.entry
            check_settings(root, newest.settings, self._settings)
            is_same = entry.state == state
            is_other = entry.source != source_of(each) or entry.source == NAMELESS
            if not is_same and is_other:
                raise InputError(
                    f"{printable(str(paths[0]))}: is the transcript of "
                    f"{printable(entry.source)}, expected that of "
                    f"{printable(source_of(each))}; set another output, or "
                    "overwrite=true"
                )
            if is_same and all(_is_whole(path, newest) for path in paths):
                return True
        ours = {value for line in lines for value in line.entry.wrote.values()}
        for path in there:
            if not (ours and _digest(path) in ours):
                raise InputError(
                    f"{printable(str(path))}: exists already, expected a new file, or "
                    "one as speechgru transcribe wrote it; move it away, set another "
                    "output, or overwrite=true"
                )
        return False

    def write(self, each: Input, transcript: Transcript) -> None:
        """Write the files of a recording, each whole or not at all.

        Raises:
            InputError: one cannot be written.
        """
        contents = {
            path: encode(format.render(transcript, named=False))
            for path, format in zip(self._paths(each), self._formats, strict=True)
        }
        root, stem = self._places[each]
        entry = Entry(
            key=stem,
            source=source_of(each),
            state=self._states.get(each) or state_of(each),
            wrote={path.name: digest(text) for path, text in contents.items()},
            over={path.name: found for path in contents if (found := _digest(path))},
            size=sum(map(len, contents.values())),
            time=time.time(),
        )
        self._records[root].append(entry)
        for path, content in contents.items():
            replace_file(path, content)

    def close(self) -> None:
        """Let other processes have it."""
        for record in self._records.values():
            record.close()

    def _doubt_last(self, root: Path) -> None:
        """See that the last line of the record, if untrue, is believed by nobody."""
        record = self._records[root]
        if not record.lines:
            return
        line = record.lines[-1]
        folder = (root / line.entry.key).parent
        if not all(_is_whole(folder / name, line) for name in line.entry.wrote):
            # Of the files that it tells of, some may be there.
            record.append(replace(line.entry, state=NEVER, time=time.time()))

    def _read(self, root: Path, own: str) -> dict[str, list[Line]]:
        """What was written below a folder by whatever process, the newest last."""
        lines = self._records[root].read()
        for path in root.glob(RECORD.format("*")):
            if path.name != own:
                lines += read_record(path)
        by_key: dict[str, list[Line]] = {}
        for line in sorted(lines, key=lambda line: line.entry.time):
            by_key.setdefault(line.entry.key, []).append(line)
        return by_key

    def _paths(self, each: Input) -> list[Path]:
        base = Path(*self._places[each])
        return [base.with_name(base.name + format.ENDING) for format in self._formats]

    def _check_apart(self) -> None:
        owners: dict[Path, Input] = {}
        for each in self._places:
            for path in self._paths(each):
                if path in owners:
                    both = (printable(source_of(it)) for it in (owners[path], each))
                    raise InputError(
                        f"{' and '.join(both)}: both would be written to "
                        f"{printable(str(path))}, expected a file of its own for each "
                        "recording; rename one, or transcribe them into two folders"
                    )
                owners[path] = each


def _is_whole(path: Path, line: Line) -> bool:
    """Whether what a line tells of is there, and be it corrected by hand.

    Only what the last line tells of may not have been written.
    """
    told = line.entry.wrote.get(path.name)
    if told is None or not path.is_file():
        return False
    over = line.entry.over.get(path.name)
    return not line.is_last or over in (None, told) or _digest(path) != over


def _lies(path: Path) -> bool:
    """Whether anything is there. Raises InputError: nothing could be, by its name."""
    try:
        os.lstat(path)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise InputError(
                f"{printable(str(path))}: a name of {len(os.fsencode(path.name))} "
                "bytes, expected one that the folder can hold; rename the recording, "
                "or set another format"
            ) from error
        return False
    return True


def _digest(path: Path) -> str | None:
    try:
        return digest(path.read_bytes())
    except OSError:  # a folder, or a link to nothing
        return None
