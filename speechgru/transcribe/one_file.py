"""All transcripts in one file, as they come."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from speechgru.files import printable, replace_by_parts
from speechgru.interfaces import InputError
from speechgru.transcribe.format_table import Format
from speechgru.transcribe.inputs import Input
from speechgru.transcribe.places import encode, key_of, source_of, state_of
from speechgru.transcribe.record import (
    Entry,
    Record,
    Settings,
    check_settings,
    digest,
    unwritable,
    write_all,
)
from speechgru.transcribe.transcript import NAMELESS, Transcript

RECORD = ".{}.speechgru-transcribed.jsonl"
"""Name of the record, by that of the file."""


class OneFile:
    """A file to which every transcript is added as soon as it is there.

    Args:
        path: of the file; a device or a pipe is written to, and has no record.
        format: of the transcripts.
        named: whether each must say which recording it is of.
        settings: that they are made with.
        overwrite: begin anew, whatever there is.

    Raises:
        InputError: there is a file that is not, or not only, of this program's
            making, or made with other settings.
    """

    def __init__(
        self,
        path: Path,
        format: Format,
        named: bool,
        settings: Settings,
        overwrite: bool,
    ) -> None:
        self.path = path
        self._format = format
        self._named = named
        self._settings = settings
        self._entries: dict[str, Entry] = {}
        self._owners: dict[str, Input] = {}
        self._states: dict[str, tuple[int, int]] = {}
        self._size = 0
        self._begins_anew = overwrite
        self._record: Record | None = None
        if path.exists() and not path.is_file():
            return
        self._record = Record(path.with_name(RECORD.format(path.name)), settings)
        try:
            if not overwrite:
                self._take_up(self._record)
        except BaseException:
            self._record.close()
            raise

    def is_done(self, each: Input) -> bool:
        """Whether its transcript is in the file. Raises InputError."""
        key = key_of(each)
        if self._owners.setdefault(key, each) != each:
            raise InputError(
                f"{printable(key)}: stands for two parts of a recording, expected "
                "parts that differ by a thousandth of a second; correct the manifest"
            )
        # Now: what changes while it is heard, is heard again the next time.
        self._states[key] = state_of(each)
        entry = self._entries.get(key)
        if entry is None or entry.state == self._states[key]:
            return entry is not None
        if entry.source == NAMELESS:
            raise InputError(
                f"{printable(str(self.path))}: holds another transcript of standard "
                "input, expected none; set another output"
            )
        return False

    def write(self, each: Input, transcript: Transcript) -> None:
        """Add a transcript, in place of an older one of the same recording.

        Raises:
            InputError: it cannot be written; then the file is as before.
        """
        text = encode(self._format.render(transcript, self._named))
        with self._explained():
            if self._record is None:
                with self.path.open("ab", buffering=0) as device:
                    write_all(device.fileno(), text)
                return
            if self._begins_anew:
                self._record.clear()
                self.path.write_bytes(b"")
                self._begins_anew = False
            key, wrote = key_of(each), {self.path.name: digest(text)}
            state = self._states.get(key) or state_of(each)
            entry = Entry(key, source_of(each), state, wrote, {}, len(text), 0.0)
            self._record.append(entry)
            try:
                self._replace(key, text) if key in self._entries else self._append(text)
            except BaseException:
                self._record.drop_last()
                raise
            self._enter(entry)

    def close(self) -> None:
        """Let other processes have it."""
        if self._record is not None:
            self._record.close()

    def _take_up(self, record: Record) -> None:
        """Go on where an earlier process has stopped, perhaps within a line."""
        found = os.path.getsize(self.path) if self.path.exists() else 0
        if not record.lines:
            if os.path.lexists(self.path):
                raise InputError(
                    f"{printable(str(self.path))}: exists already, expected a new "
                    "file; move it away, set another output, or overwrite=true"
                )
            return
        check_settings(self.path, record.lines[-1].settings, self._settings)
        *earlier, newest = [line.entry for line in record.lines]
        for entry in earlier:
            self._enter(entry)
        entries, before = dict(self._entries), self._size
        self._enter(newest)
        after, is_replacing = self._size, newest.key in entries
        # What has the right length, but other text, was corrected by hand.
        if found == after and (not is_replacing or self._ends_with(newest)):
            return
        # The newest was on its way: it is half there, or not at all.
        self._entries, self._size = entries, before
        is_torn = before < found < after and not is_replacing and self._ends_torn()
        if found != before and not is_torn:
            raise InputError(
                f"{printable(str(self.path))}: has {found} bytes, expected {after}, as "
                "were written; it was changed since: set another output, or "
                "overwrite=true"
            )
        record.drop_last()
        self._cut()

    def _enter(self, entry: Entry) -> None:
        older = self._entries.pop(entry.key, None)
        self._size += entry.size - (older.size if older else 0)
        self._entries[entry.key] = entry

    def _ends_with(self, entry: Entry) -> bool:
        if not entry.size:
            return True
        with self.path.open("rb") as file:
            file.seek(-entry.size, os.SEEK_END)
            return digest(file.read()) in entry.wrote.values()

    def _ends_torn(self) -> bool:
        """Whether the last line has no end, as no editor leaves it."""
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read() != b"\n"

    def _append(self, text: bytes) -> None:
        try:
            with self.path.open("ab", buffering=0) as file:
                write_all(file.fileno(), text)
        except BaseException:
            self._cut()
            raise

    def _cut(self) -> None:
        """Take off what was written in part; a file without anything goes."""
        if self._size:
            os.truncate(self.path, self._size)
        else:
            self.path.unlink(missing_ok=True)

    def _replace(self, key: str, text: bytes) -> None:
        """Take the older transcript out, and add the new one, both at once."""
        content = self.path.read_bytes()
        parts, at = [], 0
        for entry in self._entries.values():
            if entry.key != key:
                parts.append(content[at : at + entry.size])
            at += entry.size
        replace_by_parts(self.path, [*parts, text])

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise unwritable(self.path, error) from error
