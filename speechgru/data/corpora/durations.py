"""Durations of many files, of which some may be damaged."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from speechgru.audio import AudioError, inspect_audio
from speechgru.data.processes import processes
from speechgru.progress import Progress
from speechgru.threads import num_processors

_CHUNK = 128
"""Files that a process looks at before it says so."""

_WORTH_IT = 2000
"""Files from which on other processes are started."""


def read_durations(paths: Sequence[Path], name: str) -> list[float | str]:
    """Read headers, by several processes if it is worth it.

    Args:
        paths: any number.
        name: of the corpus, for the progress.

    Returns:
        In the order of the paths, s, or what is wrong with the file.
    """
    found: list[float | str] = []
    chunks = [paths[at : at + _CHUNK] for at in range(0, len(paths), _CHUNK)]
    with Progress(f"{name}: reading headers", len(paths), "files") as progress:
        for durations in _inspect_all(chunks, len(paths)):
            found += durations
            progress.advance(len(durations))
    return found


def read_duration(path: Path) -> float | str:
    """The duration of a file, s, or what is wrong with it."""
    try:
        return inspect_audio(path).duration
    except AudioError as error:
        return str(error)


def _inspect_all(
    chunks: Sequence[Sequence[Path]], total: int
) -> Iterator[list[float | str]]:
    count = num_processors()
    if count == 1 or total < _WORTH_IT:
        yield from map(_inspect, chunks)
        return
    with processes(count) as pool:
        yield from pool.map(_inspect, chunks)


def _inspect(paths: Sequence[Path]) -> list[float | str]:
    return [read_duration(path) for path in paths]
