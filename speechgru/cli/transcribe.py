"""`speechgru transcribe`: audio files to text."""

import glob
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import soundfile

from speechgru.cli.config import build_decoder, read_command_line, set_up_cpu
from speechgru.cli.tuned import warn_of_foreign_weights
from speechgru.interfaces import InputError
from speechgru.model.checkpoint import load_checkpoint, to_device
from speechgru.progress import say_line, track, without_bars
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
    results = transcriber.transcribe_many(sources, config["batch_seconds"])
    for result in track(results, "transcribe", "files", total=len(sources)):
        if isinstance(result, Failure):
            failures += 1
            say_line(f"speechgru transcribe: {result.message}")
            continue
        if config["format"] == "json":
            text = to_json(result)
        else:
            text = to_text(result, with_name=len(sources) > 1)
        with without_bars():
            print(text, flush=True)
    if failures:
        print(
            f"speechgru transcribe: {failures} of {len(sources)} not transcribed",
            file=sys.stderr,
        )
    return 1 if failures else 0


def load_transcriber(checkpoint: str, config: Mapping[str, Any]) -> Transcriber:
    """Load a checkpoint with the decoder, device and threads of a command."""
    set_up_cpu(config["num_threads"])
    loaded = load_checkpoint(checkpoint, config["trust"])
    decoder = build_decoder(config, loaded.model)
    warn_of_foreign_weights(decoder, config, loaded.model)
    model = to_device(loaded.model, config["device"])
    return Transcriber(model, loaded.tokenizer, decoder, loaded.metadata)


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
