"""Files of a corpus to utterances; their headers are read by several processes."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from speechgru.audio import AudioError, AudioInfo, inspect_audio
from speechgru.data.processes import processes
from speechgru.interfaces import InputError, Utterance
from speechgru.progress import Progress
from speechgru.threads import num_processors

_CHUNK = 128
"""Files that a process looks at before it says so."""

WORTH_IT = 2000
"""Files from which on other processes are started."""


class Recording(NamedTuple):
    """A file that is one utterance, before its header is read.

    Attributes:
        id, audio_path, text, speaker: as in `Utterance`.
    """

    id: str
    audio_path: Path
    text: str
    speaker: str | None


def describe_files(
    recordings: Sequence[Recording], name: str, num_processes: int | None = None
) -> list[Utterance]:
    """Utterances that are whole files, in the order of the recordings.

    Args:
        recordings: any number.
        name: of the corpus, for the progress.
        num_processes: None: one for each core that this process may use.

    Raises:
        InputError: the first file, in their order, that is no sound.
    """
    paths = [recording.audio_path for recording in recordings]
    return [
        Utterance(
            id=recording.id,
            audio_path=recording.audio_path,
            duration=info.duration,
            text=recording.text,
            speaker=recording.speaker,
        )
        for recording, info in zip(
            recordings, inspect_files(paths, name, num_processes), strict=True
        )
    ]


def inspect_files(
    paths: Sequence[Path], name: str, num_processes: int | None = None
) -> list[AudioInfo]:
    """Read the headers of many files.

    Args:
        paths: any number.
        name: of the corpus, for the progress.
        num_processes: None: one for each core that this process may use.

    Raises:
        InputError: the first file, in their order, that is no sound; or a process
            was killed.
    """
    found = []
    for info in try_files(paths, name, num_processes):
        if isinstance(info, AudioError):
            raise info
        found.append(info)
    return found


def try_files(
    paths: Sequence[Path], name: str, num_processes: int | None = None
) -> Iterator[AudioInfo | AudioError]:
    """Read the headers of many files, of which some may be damaged.

    Args:
        paths, name, num_processes: as for `inspect_files`.

    Yields:
        In the order of the paths, what a header says, or what is wrong with the file.

    Raises:
        InputError: a process was killed.
    """
    if num_processes is None:
        num_processes = num_processors()
    with Progress(f"{name}: reading headers", len(paths), "files") as progress:
        for infos in _inspect_all(paths, num_processes):
            yield from infos
            progress.advance(len(infos))


def _inspect_all(
    paths: Sequence[Path], num_processes: int
) -> Iterator[list[AudioInfo | AudioError]]:
    if num_processes == 1 or len(paths) < WORTH_IT:
        yield from map(_inspect, _cut(paths))
        return
    num_done = 0
    with processes(num_processes) as pool:
        try:
            for infos in pool.map(_inspect, _cut(paths)):
                num_done += len(infos)
                yield infos
        except BrokenProcessPool as error:
            raise InputError(
                f"{paths[num_done]}: a process that read the header of this or one of "
                "the next files was killed, most often because memory ran out; free "
                "some and try again"
            ) from error


def _inspect(paths: Sequence[Path]) -> list[AudioInfo | AudioError]:
    return [_try(path) for path in paths]


def _try(path: Path) -> AudioInfo | AudioError:
    try:
        return inspect_audio(path)
    except AudioError as error:
        return error


def _cut(paths: Iterable[Path]) -> Iterable[list[Path]]:
    rest = iter(paths)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
