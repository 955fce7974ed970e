"""What it takes to train on many utterances: of time, and of memory in all processes.

    python benchmarks/scale.py [--shards] [1000 10000 100000 1000000 10000000]

For each number a manifest is made, whose utterances share a few files of noise, so
that no more than its lines takes disk. Then, each in a process of its own: the index
is made; the manifest is opened as a later run does; tokens are made of its texts; an
epoch is planned; and two loading processes go through some batches. Seconds are CPU
seconds of all processes; memory is what they hold together, shared pages counted
once. Importing torch is no part of either, but of the last column: it is named below
the table. Durations are drawn as those of LibriSpeech's training parts lie. With
`--shards` utterances lie in files of 2,000 each, as those of shards do, which are one
file under many names; the plan has few of them open at once.
"""

import io
import json
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch.utils.data import DataLoader

from speechgru.data.augment.chain import Chain
from speechgru.data.dataset import SpeechDataset
from speechgru.data.loading import NamedFailures
from speechgru.data.manifest_table import open_manifest
from speechgru.data.plan import BatchPlan
from speechgru.data.shards.stored_files import StoredFiles
from speechgru.data.utterances import texts_of
from speechgru.text.tokenizer import CharacterTokenizer

SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
NUM_WORDS = 200_000  # different ones
NUM_FILES = 64
RATE = 8000  # Hz
BATCH_SECONDS = 480.0  # of 8 processes with 60 s each
NUM_BATCHES = 200
SHARD_SIZE = 2_000  # utterances
WINDOW = 8  # shards that are mixed, as by default
HEADER = (
    "| utterances | manifest, MB | index, s | open, s | tokens, s | files, s | plan, s "
    "| first batch, s | memory, MB |\n|---|---|---|---|---|---|---|---|---|"
)


def main(arguments: Sequence[str]) -> None:
    """Print the table, or a part of it that a process of its own measures."""
    if arguments and arguments[0] == "--measure":
        print(json.dumps(measure(Path(arguments[1]))))
        return
    in_shards = "--shards" in arguments
    sizes = [int(size) for size in arguments if size != "--shards"]
    print(HEADER, flush=True)
    for count in sizes or SIZES:
        folder = Path(tempfile.mkdtemp(prefix="scale-"))
        try:
            manifest = make_corpus(folder, count, in_shards)
            first, later = (run_alone(manifest) for _ in range(2))
        finally:
            shutil.rmtree(folder)
        print(
            f"| {count:,} | {first['megabytes']:.1f} | {first['open']:.2f} | "
            f"{later['open']:.2f} | {later['tokens']:.2f} | {later['files']:.2f} | "
            f"{later['plan']:.2f} | {later['batch']:.2f} | {later['memory']:.0f} |",
            flush=True,
        )
    print(
        f"memory: of the process and two that load, {NUM_BATCHES} batches long; "
        f"of these {later['imports']:.0f} MB before anything was opened"
    )


def run_alone(manifest: Path) -> dict[str, float]:
    """Measure in a fresh process."""
    command = [sys.executable, __file__, "--measure", str(manifest)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return json.loads(output.splitlines()[-1])


def measure(manifest: Path) -> dict[str, float]:
    """CPU seconds of each stage, and MB at the end."""
    torch.set_num_threads(1)
    found = {"megabytes": manifest.stat().st_size / 1e6, "imports": held_memory()}
    with timed(found, "open"):
        utterances = open_manifest(manifest)
    with timed(found, "tokens"):
        tokenizer = CharacterTokenizer.from_texts(texts_of(utterances))
    with timed(found, "files"):
        stored = StoredFiles.find(utterances)
    with timed(found, "plan"):
        durations = Chain({}, seed=1).plan(utterances)
        window = stored and stored.mix(WINDOW, seed=1, num_more=0)
        plan = BatchPlan(
            durations, BATCH_SECONDS, 30, shuffle=True, num_ranks=8, window=window
        )
        batches = iter(plan)
        next(batches)
    data = NamedFailures(SpeechDataset(utterances, tokenizer, RATE))
    loader = DataLoader(data, batch_size=None, sampler=plan, num_workers=2)
    with timed(found, "batch"):
        loaded = iter(loader)
        next(loaded)
    for _ in zip(range(NUM_BATCHES), loaded, strict=False):
        pass
    found["memory"] = held_memory()
    return found


class timed:  # noqa: N801  # reads as a word in a with statement
    """Note the CPU seconds of this process that a block takes."""

    def __init__(self, found: dict[str, float], name: str) -> None:
        self.found, self.name = found, name

    def __enter__(self) -> None:
        """Begin."""
        self.start = time.process_time()

    def __exit__(self, *_: object) -> None:
        """End."""
        self.found[self.name] = time.process_time() - self.start


def held_memory() -> float:
    """MB that this process and its children hold, shared pages counted once."""
    processes = [os.getpid(), *(c.pid for c in multiprocessing.active_children())]
    total = 0
    for process in processes:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1e3


def make_corpus(folder: Path, count: int, in_shards: bool) -> Path:
    """A manifest of so many utterances of a few sounds."""
    generator = np.random.default_rng(1)
    sounds = []
    for _ in range(NUM_FILES):
        file = io.BytesIO()
        noise = 0.1 * generator.standard_normal(RATE)
        soundfile.write(file, noise, RATE, format="WAV")
        sounds.append(file.getvalue())
    if in_shards:
        first = folder / "0.tar"
        first.write_bytes(b"".join(sounds))
        for index in range(1, -(-count // SHARD_SIZE)):
            os.link(first, folder / f"{index}.tar")
    else:
        for index, sound in enumerate(sounds):
            (folder / f"{index}.wav").write_bytes(sound)
    draw = random.Random(1)
    words = sorted(
        {
            "".join(draw.choices("etaoinshrdlu", k=draw.randint(2, 9)))
            for _ in range(NUM_WORDS)
        }
    )
    path = folder / "train.jsonl"
    with path.open("w") as file:
        size = len(sounds[0]) if in_shards else None
        for block in make_lines(count, words, generator, size):
            file.write(block)
    return path


def make_lines(
    count: int, words: Sequence[str], generator: np.random.Generator, size: int | None
) -> Iterator[str]:
    """Blocks of lines of a manifest; with a size in bytes, sounds lie in shards."""

    def place(number: int) -> str:
        sound = number % NUM_FILES
        if size is None:
            return f'"{sound}.wav"'
        start = size * sound
        return f'"{number // SHARD_SIZE}.tar", "byte_range": [{start}, {size}]'

    for start in range(0, count, 10_000):
        rows = min(10_000, count - start)
        # Most are 12 to 16 s long, the others spread below.
        lengths = np.where(
            generator.random(rows) < 0.7,
            generator.normal(14.2, 1.2, rows),
            generator.uniform(1.4, 15, rows),
        ).clip(1.3, 24.5)
        chosen = np.minimum(generator.zipf(1.3, 12 * rows) - 1, len(words) - 1)
        texts = [
            " ".join(words[word] for word in chosen[12 * row : 12 * row + 12])
            for row in range(rows)
        ]
        yield "".join(
            f'{{"id": "{start + row:08d}-spoken", "audio_filepath": '
            f'{place(start + row)}, "duration": {lengths[row]:.3f}, '
            f'"text": "{texts[row]}", "speaker": "s{(start + row) % 997}"}}\n'
            for row in range(rows)
        )


if __name__ == "__main__":
    main(sys.argv[1:])
