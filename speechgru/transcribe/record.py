"""What has been transcribed to an output: a hidden file beside it, line by line.

A line is written in front of what it tells of. So only the last line may tell of
what is not there, or not whole; whoever reads it looks.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

from speechgru.files import parse_object, printable, reason, to_json
from speechgru.interfaces import InputError
from speechgru.records import get_seconds

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """That a recording was transcribed.

    Attributes:
        key: by which an output knows the recording.
        source: absolute path of the recording.
        state: of the recording when it was read: size and time; see `state_of`.
        wrote: digests of what was written, by the names of files.
        over: digests of what these files held before, where they were there.
        size: bytes that were written, where all are written to one file.
        time: s since 1970.
    """

    key: str
    source: str
    state: tuple[int, int]
    wrote: dict[str, str]
    over: dict[str, str]
    size: int
    time: float


@dataclass(frozen=True)
class Line:
    """An entry as it was found.

    Attributes:
        entry: what it tells.
        settings: that the transcript was made with.
        is_last: whether no other line follows, so that it may tell too much.
    """

    entry: Entry
    settings: Settings
    is_last: bool


def digest(content: bytes) -> str:
    """Of what was written."""
    return blake2b(content, digest_size=16).hexdigest()


class Record:
    """The record of one process at a time, which holds its lock.

    Args:
        path: of the hidden file; it is made, and removed again if nothing is said.
        settings: that this process transcribes with.

    Attributes:
        lines: that were found, in their order.

    Raises:
        InputError: another process holds it, it cannot be written, or is damaged.
    """

    def __init__(self, path: Path, settings: Settings) -> None:
        self.path = path
        self._settings = settings
        self._made = [each for each in path.parents if not each.exists()]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = path.open("a+b", buffering=0)
            while not self._is_mine():  # its owner has just removed it
                self._file.close()
                self._file = path.open("a+b", buffering=0)
        except OSError as error:
            raise unwritable(path, error) from error
        try:
            self.lines, self._ends = _parse(path, self._file)
            self._known: Settings | None = None
            if self.lines:
                self._known = self.lines[-1].settings
            os.ftruncate(self._file.fileno(), self._ends[-1])
        except BaseException:
            self._file.close()
            raise

    def read(self) -> list[Line]:
        """The lines that are there now."""
        return _parse(self.path, self._file)[0]

    def append(self, entry: Entry) -> None:
        """Tell what will now be written.

        Raises:
            InputError: it cannot be told; then nothing was.
        """
        content = to_json(asdict(entry)) + b"\n"
        if self._known != self._settings:
            content = to_json({"settings": self._settings}) + b"\n" + content
        try:
            write_all(self._file.fileno(), content)
        except OSError as error:
            os.ftruncate(self._file.fileno(), self._ends[-1])
            raise unwritable(self.path, error) from error
        self._known = self._settings
        self._ends.append(self._ends[-1] + len(content))

    def drop_last(self) -> None:
        """Take the last line back, of which nothing was written."""
        self._ends.pop()
        os.ftruncate(self._file.fileno(), self._ends[-1])
        self._known = None

    def clear(self) -> None:
        """Forget everything."""
        self._ends = [0]
        os.ftruncate(self._file.fileno(), 0)
        self._known = None

    def close(self) -> None:
        """Let others have it; if it says nothing, leave no trace."""
        if self._ends[-1] == 0:
            with contextlib.suppress(OSError):
                self.path.unlink()
                for folder in self._made:
                    folder.rmdir()
        self._file.close()

    def _is_mine(self) -> bool:
        """Lock the file; whether it is still the one of its name."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise InputError(
                f"{printable(str(self.path.parent))}: another process transcribes to "
                f"it, and holds {printable(self.path.name)}; wait for it, set another "
                "output, or give each process a part by shard=1/2 and shard=2/2"
            ) from error
        except OSError:
            return True  # some network file systems know no locks
        try:
            return os.path.samestat(os.fstat(self._file.fileno()), os.stat(self.path))
        except FileNotFoundError:
            return False


def read_record(path: Path) -> list[Line]:
    """The lines of another process' record. Raises InputError."""
    try:
        with path.open("rb") as file:
            return _parse(path, file)[0]
    except OSError as error:
        raise InputError(
            f"{printable(str(path))}: cannot be read ({reason(error)}), expected the "
            "record of what has been transcribed; check its permissions"
        ) from error


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of it. Raises OSError."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _parse(path: Path, file: BinaryIO) -> tuple[list[Line], list[int]]:
    """Lines, and where the file ends without each of them and with all."""
    file.seek(0)
    *whole, _ = file.read().split(b"\n")  # what is behind was cut off by a kill
    lines: list[Line] = []
    ends, at, settings = [0], 0, dict[str, Any]()
    for number, content in enumerate(whole, 1):
        at += len(content) + 1
        try:
            found = parse_object(content)
            if "settings" in found:
                settings = dict(found["settings"])
                continue
            entry = _read_entry(found)
        except (InputError, TypeError, ValueError, KeyError) as error:
            raise InputError(
                f"{printable(str(path))}:{number}: is damaged ({error}), expected what "
                "speechgru transcribe writes; remove it, and set overwrite=true or "
                "another output"
            ) from error
        lines.append(Line(entry, settings, number == len(whole)))
        ends.append(at)
    return lines, ends


def _read_entry(found: Mapping[str, Any]) -> Entry:
    size, time = found["state"]
    return Entry(
        key=str(found["key"]),  # no UTF-8, perhaps, as file names are
        source=str(found["source"]),
        state=(int(size), int(time)),
        wrote=_read_digests(found["wrote"]),
        over=_read_digests(found["over"]),
        size=max(0, int(found["size"])),
        time=get_seconds(found, "time"),
    )


def _read_digests(found: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in dict(found).items()}


def check_settings(output: Path, before: Settings, now: Settings) -> None:
    """Refuse to mix transcripts that were made with different settings.

    Raises:
        InputError: names what differs.
    """
    changed = [
        f"{key} was {_show(before.get(key))} and is {_show(now.get(key))}"
        for key in sorted({*before, *now})
        if before.get(key) != now.get(key)
    ]
    if changed:
        raise InputError(
            f"{printable(str(output))}: was made with other settings: "
            f"{', '.join(changed)}; set them as they were, another output, or "
            "overwrite=true"
        )


def unwritable(path: Path, error: OSError) -> InputError:
    """What to say where a transcript, or that there is one, cannot be written."""
    return InputError(
        f"{printable(str(path))}: cannot be written ({reason(error)}), expected a "
        "folder that can be, with room; free some space, check its permissions, or set "
        "another output; what is transcribed stays, the same command does the rest"
    )


def _show(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
