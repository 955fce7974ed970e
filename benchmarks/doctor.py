"""What it takes to examine many utterances: of time, and of memory.

    python benchmarks/doctor.py [1000 10000 100000]

For each number a corpus is made of files of 0.25 s at 16 kHz, once as many files
(links to a few, so that they take no disk) and once as segments of long files, of
10,000 each. Then, in a process of its own, they are examined, and examined again with
what the first time remembered. Seconds are CPU seconds of all processes; memory is
what the first process holds at most, beyond what it held when the manifest was open.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from speechgru.data.manifest_table import open_manifest
from speechgru.data.validation.examine import examine
from speechgru.text.tokenizer import CharacterTokenizer

SIZES = (1_000, 10_000, 100_000)
NUM_FILES = 64
RATE = 16_000  # Hz
DURATION = 0.25  # s
NUM_SEGMENTS = 10_000  # of a long file
SUBSAMPLING = 640  # samples of an output frame
HEADER = (
    "| utterances | of | CPU s | CPU s, again | memory, MB |\n|---|---|---|---|---|"
)


def main(arguments: Sequence[str]) -> None:
    """Print the table, or a row of it that a process of its own measures."""
    if arguments and arguments[0] == "--measure":
        print(json.dumps(measure(Path(arguments[1]), Path(arguments[2]))))
        return
    print(HEADER, flush=True)
    for count in map(int, arguments or SIZES):
        for kind in ("files", "segments"):
            folder = Path(tempfile.mkdtemp(prefix="doctor-"))
            try:
                manifest = make_corpus(folder, count, kind == "segments")
                first, second = (run(manifest, folder / "cache") for _ in range(2))
            finally:
                shutil.rmtree(folder)
            print(
                f"| {count:,} | {kind} | {first['seconds']:.1f} | "
                f"{second['seconds']:.1f} | {first['memory']:.0f} |",
                flush=True,
            )


def make_corpus(folder: Path, count: int, is_long: bool) -> Path:
    """Write sound and the manifest of it, whose path is returned."""
    random = np.random.default_rng(0)
    size = round(DURATION * RATE)
    few = 0.1 * random.standard_normal((NUM_FILES, size)).astype(np.float32)
    if is_long:
        with soundfile.SoundFile(folder / "0.wav", "w", RATE, 1) as file:
            for number in range(min(count, NUM_SEGMENTS)):
                file.write(few[number % NUM_FILES])
        for number in range(1, -(-count // NUM_SEGMENTS)):
            os.link(folder / "0.wav", folder / f"{number}.wav")
    else:
        for number in range(NUM_FILES):
            soundfile.write(folder / f"{number}.wav", few[number], RATE)
    manifest = folder / "train.jsonl"
    with manifest.open("w") as lines:
        for number in range(count):
            record = {"id": f"u{number}", "duration": DURATION, "text": "AB"}
            if is_long:
                file_number, place = divmod(number, NUM_SEGMENTS)
                record["audio_filepath"] = f"{file_number}.wav"
                record["offset"] = DURATION * place
            else:
                path = folder / f"{number // 1000}" / f"{number}.wav"
                path.parent.mkdir(exist_ok=True)
                os.link(folder / f"{number % NUM_FILES}.wav", path)
                record["audio_filepath"] = str(path.relative_to(folder))
            lines.write(json.dumps(record) + "\n")
    return manifest


def run(manifest: Path, cache: Path) -> dict[str, float]:
    """Measure in a process of its own."""
    command = [sys.executable, __file__, "--measure", str(manifest), str(cache)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def measure(manifest: Path, cache: Path) -> dict[str, float]:
    """CPU seconds of examining, and MB that it takes."""
    utterances = open_manifest(manifest)
    tokenizer = CharacterTokenizer.from_texts(["AB"])
    seconds, memory = sum(os.times()[:4]), peak()
    diagnosis = examine(
        {"train": utterances},
        tokenizer,
        RATE,
        False,
        lambda num_samples: num_samples // SUBSAMPLING,
        None,
        cache,
    )
    assert not diagnosis.problems, diagnosis.problems[0]
    return {"seconds": sum(os.times()[:4]) - seconds, "memory": peak() - memory}


def peak() -> float:
    """MB that this process held at most."""
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes / (1024 if sys.platform == "linux" else 1024**2)


if __name__ == "__main__":
    main(sys.argv[1:])
