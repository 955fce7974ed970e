"""`speechgru transcribe`: audio files to text."""

import glob
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import soundfile

from speechgru.cli.config import build_decoder, read_command_line, set_up_cpu
from speechgru.interfaces import InputError
from speechgru.transcribe.formats import to_json, to_text
from speechgru.transcribe.transcriber import Failure, Transcriber

USAGE = """
usage: speechgru transcribe CHECKPOINT AUDIO... [KEY=VALUE ...]

Transcribe files, folders (every audio file below), globs, or - for standard
input, at any sample rate. Texts go to standard output in the order given.
"""

SUFFIXES = {f".{name.lower()}" for name in soundfile.available_formats()} | {
    ".sph",
    ".opus",
    ".oga",
    ".aif",
}


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line("transcribe", arguments, USAGE, (2, sys.maxsize))
    config = line.config
    if config["format"] not in ("text", "json"):
        raise InputError(f"format is {config['format']!r}, expected text or json")
    checkpoint, *names = line.positional
    sources = [source for name in names for source in expand(name)]
    transcriber = load_transcriber(checkpoint, config)
    failures = 0
    for result in transcriber.transcribe_many(sources, config["batch_seconds"]):
        if isinstance(result, Failure):
            failures += 1
            print(f"speechgru transcribe: {result.message}", file=sys.stderr)
        elif config["format"] == "json":
            print(to_json(result), flush=True)
        else:
            print(to_text(result, with_name=len(sources) > 1), flush=True)
    if failures:
        print(
            f"speechgru transcribe: {failures} of {len(sources)} not transcribed",
            file=sys.stderr,
        )
    return 1 if failures else 0


def load_transcriber(checkpoint: str, config: Mapping[str, Any]) -> Transcriber:
    """Load a checkpoint with the decoder, device and threads of a command."""
    set_up_cpu(config["num_threads"])
    return Transcriber.from_checkpoint(
        checkpoint,
        config["device"],
        build_decoder(config),
        config["trust"],
    )


def expand(name: str) -> list[str | bytes]:
    """Turn a file, folder, glob or - into sources."""
    if name == "-":
        return [sys.stdin.buffer.read()]
    path = Path(name)
    if path.is_dir():
        found = sorted(
            str(file)
            for file in path.rglob("*")
            if file.suffix.lower() in SUFFIXES and file.is_file()
        )
    elif path.exists():
        return [name]
    else:
        found = sorted(glob.glob(name, recursive=True))
    if not found:
        raise InputError(
            f"{name}: no audio found, expected a file, a folder with audio files, a "
            "glob, or - for standard input; check the path"
        )
    return found
