"""What many short recordings cost: this program, and others on the same files.

    python benchmarks/transcribe/many_files.py [--audio FOLDER] [--checkpoint FILE]
        [--whisper FOLDER] [--repeats 3]

Without a folder 200 recordings are made, of 1 to 4 s and 493 s in all, of noise; the
work of a greedy decoder does not depend on what is said, that of other systems
does, so that they want a folder of speech. Without a checkpoint a model of 3x256
bidirectional GRUs over 80 log-mel bands is made, untrained.

CPU time, user's and system's, of whole processes, one thread each; medians of the
repeats. Linux only. PocketSphinx and faster-whisper are measured where they are
installed; FOLDER holds Whisper's weights for CTranslate2.
"""

import argparse
import importlib.util
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soundfile
import torch

from speechgru.checkpoint.models import build_model
from speechgru.checkpoint.storage import describe, write_checkpoint
from speechgru.options import choose
from speechgru.text.tokenizer import CharacterTokenizer

RATE = 16_000  # Hz
NUM_FILES, SECONDS = 200, 493.0

POCKETSPHINX = """
import sys, soundfile
from pocketsphinx import Decoder
decoder = Decoder(samprate=16000, loglevel="FATAL")
for path in sys.argv[1:]:
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == 16000, path
    decoder.start_utt()
    decoder.process_raw(samples.tobytes(), full_utt=True)
    decoder.end_utt()
    print(path, decoder.hyp().hypstr if decoder.hyp() else "", sep="\\t")
"""
WHISPER = """
import sys
from faster_whisper import WhisperModel
model = WhisperModel(sys.argv[1], device="cpu", compute_type="float32", cpu_threads=1)
for path in sys.argv[2:]:
    segments, _ = model.transcribe(path, language="en", beam_size=1)
    print(path, "".join(segment.text for segment in segments), sep="\\t")
"""


def main(arguments: Sequence[str]) -> None:
    """Print a row for each measurement, as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audio", type=Path)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--whisper", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        audio = given.audio or make_recordings(folder / "audio", NUM_FILES, SECONDS)
        checkpoint = given.checkpoint or make_checkpoint(folder / "model.ckpt")
        print("\n".join(describe_machine()), end="\n\n")
        print("| what | CPU s | without importing torch | real-time factor of that |")
        print("|---|---|---|---|", flush=True)
        for row in measure_all(audio, checkpoint, folder, given.repeats):
            print(row, flush=True)
        print()
        for line in measure_rivals(audio, given.whisper, given.repeats):
            print(line, flush=True)


def measure_all(audio: Path, checkpoint: Path, folder: Path, repeats: int) -> list[str]:
    """Rows of the commands, from the cheapest on."""
    paths = recordings(audio)
    total = sum(map(seconds_of, paths))
    short = make_recordings(folder / "short", 1, 2.0) / "000.wav"
    output = f"output={folder}/texts/"
    run = [sys.executable, "-m", "speechgru"]
    transcribe = [*run, "transcribe", str(checkpoint)]

    def cost(command: Sequence[str]) -> float:
        return median(lambda: cpu_seconds(command), repeats)

    torch_alone = cost([sys.executable, "-c", "import torch"])
    rows = [f"| `import torch` | {torch_alone:.2f} | | |"]
    for what, command in (
        ("`speechgru --help`", [*run, "--help"]),
        ("`speechgru transcribe --help`", [*run, "transcribe", "--help"]),
    ):
        rows.append(f"| {what} | {cost(command):.2f} | | |")
    rows.append(
        _row("a file of 2 s", cost([*transcribe, str(short)]), torch_alone, 2.0)
    )
    many = f"{len(paths)} files, {total:.0f} s"
    rows.append(_row(many, cost([*transcribe, str(audio)]), torch_alone, total))
    first = cpu_seconds([*transcribe, str(audio), output, "format=[srt,json]"])
    rows.append(_row(f"{many}, to two files each", first, torch_alone, total))
    again = cost([*transcribe, str(audio), output, "format=[srt,json]"])
    rows.append(f"| the same again: nothing to do | {again:.2f} | | |")
    return rows


def measure_rivals(audio: Path, whisper: Path | None, repeats: int) -> list[str]:
    """A line on each other system, measured or not."""
    paths = [str(path) for path in recordings(audio)]
    total = sum(map(seconds_of, recordings(audio)))
    lines = []
    for name, package, code, before in (
        ("PocketSphinx", "pocketsphinx", POCKETSPHINX, []),
        ("Whisper", "faster_whisper", WHISPER, [str(whisper)]),
    ):
        if importlib.util.find_spec(package) is None:
            lines.append(f"{name}: not measured, {package} is not installed")
        elif package == "faster_whisper" and whisper is None:
            lines.append(f"{name}: not measured, --whisper names no weights")
        else:
            command = [sys.executable, "-c", code, *before, *paths]
            spent = median(lambda command=command: cpu_seconds(command), repeats)
            factor = spent / total
            lines.append(f"{name}: {spent:.1f} CPU s, real-time factor {factor:.4f}")
    return lines


def cpu_seconds(command: Sequence[str]) -> float:
    """Of a process and those that it starts, user's and system's. It must succeed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    # Compiled anew each time, the modules would cost more than they do a user.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run(command, check=True, capture_output=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def median(measure: Callable[[], float], repeats: int) -> float:
    """Of several measurements, behind one that warms the caches of the disk."""
    measure()
    return statistics.median(measure() for _ in range(repeats))


def recordings(folder: Path) -> list[Path]:
    """Files of audio in a folder, or below."""
    return sorted(p for p in folder.rglob("*") if p.suffix in (".wav", ".flac", ".sph"))


def seconds_of(path: Path) -> float:
    """How long a recording is."""
    return float(soundfile.info(path).duration)


def make_recordings(folder: Path, number: int, seconds: float) -> Path:
    """Noise, cut into files of different length; the folder with them."""
    generator = np.random.default_rng(0)
    lengths = generator.uniform(1, 4, number)
    lengths *= seconds / lengths.sum()
    folder.mkdir(parents=True)
    for index, length in enumerate(lengths):
        noise = 0.1 * generator.standard_normal(round(RATE * length))
        soundfile.write(folder / f"{index:03}.wav", noise, RATE)
    return folder


def make_checkpoint(path: Path) -> Path:
    """A model of 3x256 that has learnt nothing, but costs what one that has does."""
    parts = {
        "features": choose("features", "log_mel"),
        "normalize": choose("normalize", "utterance"),
        "subsampling": choose("subsampling", "conv1d"),
        "encoder": choose("encoder", "gru", hidden_size=256, num_layers=3),
    }
    config = {name: part.to_plain() for name, part in parts.items()}
    config["spec_augment"] = None
    torch.manual_seed(0)
    tokenizer = CharacterTokenizer(" ABCDEFGHIJKLMNOPQRSTUVWXYZ'")
    model = build_model(config, len(tokenizer.tokens))
    weights = {f"model.{name}": value for name, value in model.state_dict().items()}
    content = describe(config, tokenizer.config(), {"corpus": "noise", "seed": 0})
    write_checkpoint(content | {"state_dict": weights}, path)
    return path


def describe_machine() -> list[str]:
    """What the numbers depend on."""
    load = os.getloadavg()[0]
    return [
        f"torch {torch.__version__}, Python {sys.version.split()[0]}, "
        f"{os.cpu_count()} processors, load average {load:.1f} before"
    ]


def _row(what: str, spent: float, torch_alone: float, seconds: float) -> str:
    beyond = spent - torch_alone
    return f"| {what} | {spent:.2f} | {beyond:.2f} | {beyond / seconds:.4f} |"


if __name__ == "__main__":
    main(sys.argv[1:])
