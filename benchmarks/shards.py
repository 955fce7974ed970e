"""What it takes to read a corpus: from many small files, from shards, and over HTTP.

    python benchmarks/shards.py MANIFEST [COPIES]

The utterances of a manifest, each so many times, are written as one FLAC file each
and to shards of FLAC; both lie on the same disk, and are driven out of the system's
cache before they are read. An epoch is read in the order of training, by one process
that decodes and another thread that reads ahead, and once more without decoding. The
host of the third row is Python's, on the same machine: its own time does not count.
"""

import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from speechgru import read_manifest
from speechgru.audio import read_audio
from speechgru.data.plan import BatchPlan
from speechgru.data.shards.encoding import Encoding
from speechgru.data.shards.stored_files import StoredFiles
from speechgru.data.shards.writer import write_shards
from speechgru.data.sources.shards import Shards
from speechgru.interfaces import Utterance

WINDOW = 8
MEGABYTES = 10.0
CACHE_GB = 100.0
BATCH_SECONDS = 60.0
HEADER = (
    "| read from | files | MB | decoded: s | CPU s | audio h per CPU s | MB/s "
    "| only read: s | CPU s | MB/s |\n|---|---|---|---|---|---|---|---|---|---|"
)


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    folder = Path(tempfile.mkdtemp(prefix="shards-"))
    os.environ["SPEECHGRU_CACHE"] = str(folder / "cache")
    try:
        copies = int(arguments[1]) if len(arguments) > 1 else 1
        utterances = write_both(read_manifest(arguments[0]), copies, folder)
        print(HEADER, flush=True)
        measure("small files", utterances)
        near = Shards("shards", str(folder / "shards")).read("train")
        measure("shards", near)
        with serving(folder / "shards") as address:
            far = Shards("shards", address).read("train")
            fetched = {utterance.audio_path.parent for utterance in far}
            measure("shards over HTTP", far, partial(forget_folders, fetched))
            measure("the same, kept", far)
    finally:
        shutil.rmtree(folder)


def write_both(
    utterances: Sequence[Utterance], copies: int, folder: Path
) -> list[Utterance]:
    """Write shards, and each recording of them to a file of its own."""
    many = [
        replace(utterance, id=f"{utterance.id}-{copy}")
        for copy in range(copies)
        for utterance in utterances
    ]
    write_shards(folder / "shards", {"train": many}, Encoding(), MEGABYTES)
    files = []
    for utterance in read_manifest(folder / "shards/train.jsonl"):
        # A folder a thousand, as corpora have them.
        path = folder / "files" / str(len(files) // 1000) / f"{utterance.id}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        start, size = utterance.byte_range or (0, 0)
        with utterance.audio_path.open("rb") as shard:
            shard.seek(start)
            path.write_bytes(shard.read(size))
        files.append(replace(utterance, audio_path=path, byte_range=None))
    os.sync()
    return files


def measure(
    name: str,
    utterances: Sequence[Utterance],
    forget: Callable[[], None] = lambda: None,
) -> None:
    """Print a row: an epoch with decoding, and one without."""
    stored = StoredFiles.find(utterances)
    paths = stored.paths if stored else [u.audio_path for u in utterances]
    row = []
    for read in (decode, read_bytes):
        forget()
        drive_out(paths)
        seconds, cpu, size = run_alone(partial(go_through, utterances, read))
        row.append((seconds, cpu, size))
    (seconds, cpu, size), (bare, bare_cpu, _) = row
    hours = sum(utterance.duration for utterance in utterances) / 3600
    print(
        f"| {name} | {len(paths):,} | {size / 1e6:.0f} | {seconds:.2f} | {cpu:.2f} | "
        f"{hours / cpu:.3f} | {size / 1e6 / seconds:.0f} | {bare:.2f} | "
        f"{bare_cpu:.2f} | {size / 1e6 / bare:.0f} |",
        flush=True,
    )


def go_through(
    utterances: Sequence[Utterance], read: Callable[[Utterance], int]
) -> int:
    """Read an epoch in the order of training; bytes of recordings."""
    stored = StoredFiles.find(utterances)
    window = stored.mix(WINDOW, 1, 0) if stored else None
    ahead = stored.read_ahead(window, CACHE_GB) if stored else None
    durations = [utterance.duration for utterance in utterances]
    plan = BatchPlan(durations, BATCH_SECONDS, 30, shuffle=True, seed=1, window=window)
    size = 0
    for planned in plan:
        if ahead is not None:
            ahead.follow(planned)
        size += sum(read(utterances[index]) for index in planned.indices)
    return size


def decode(utterance: Utterance) -> int:
    """Decode an utterance, as training does."""
    read_audio(utterance.audio)
    return size_of(utterance)


def read_bytes(utterance: Utterance) -> int:
    """Read an utterance without decoding it."""
    start, size = utterance.byte_range or (0, size_of(utterance))
    with utterance.audio_path.open("rb") as file:
        file.seek(start)
        return len(file.read(size))


def size_of(utterance: Utterance) -> int:
    """Bytes of a recording."""
    if utterance.byte_range is not None:
        return utterance.byte_range[1]
    return utterance.audio_path.stat().st_size


def forget_folders(folders: Iterable[Path]) -> None:
    """Remove what was fetched."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def drive_out(paths: Sequence[Path]) -> None:
    """Let the system forget what it has read of files."""
    for path in paths:
        if path.exists():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def run_alone(work: Callable[[], int]) -> tuple[float, float, int]:
    """Seconds, CPU seconds and bytes of some work, in a process of its own."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(
        target=_work, args=(work, sender)
    )
    process.start()
    sender.close()  # if that of the process is closed, too, there is no result
    result = receiver.recv()
    process.join()
    return result


def _work(work: Callable[[], int], sender: Connection) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF)
    begin = time.perf_counter()
    size = work()
    seconds = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    sender.send((seconds, cpu, size))


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder from a process of its own; its address."""
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(_Handler, directory=str(folder))
    )
    address = f"http://127.0.0.1:{server.server_port}"
    process = multiprocessing.get_context("fork").Process(
        target=server.serve_forever, daemon=True
    )
    process.start()
    try:
        yield address
    finally:
        process.terminate()
        server.server_close()


if __name__ == "__main__":
    main(sys.argv[1:])
