"""`speechgru transcribe`: audio files to text."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from speechgru.checkpoint.load import load_checkpoint, to_device
from speechgru.cli.config import read_command_line
from speechgru.data.folder import find_paths, list_recordings, without_repeats
from speechgru.decode.beam import BeamDecoder
from speechgru.evaluation.foreign_weights import warn_of_foreign_weights
from speechgru.factory import build_decoder
from speechgru.files import printable
from speechgru.interfaces import InputError
from speechgru.options import TranscribeOptions
from speechgru.progress import say_line, track, without_bars
from speechgru.threads import set_up_cpu
from speechgru.transcribe.formats import to_json, to_text
from speechgru.transcribe.transcriber import Transcriber
from speechgru.transcribe.transcript import Failure, Transcript

USAGE = """
usage: speechgru transcribe CHECKPOINT AUDIO... [KEY=VALUE ...]

Transcribe files, folders (every recording below), globs, or - for standard
input, at any sample rate. Texts go to standard output in the order given; what
cannot be transcribed is named on standard error, and the exit code is then 1.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(TranscribeOptions, arguments, USAGE, (2, sys.maxsize))
    config = line.config
    if config["format"] not in ("text", "json"):
        raise InputError(f"format is {config['format']!r}, expected text or json")
    checkpoint, *names = line.positional
    sources = [source for name in names for source in expand(name)]
    readable = [source for source in sources if not isinstance(source, Failure)]
    results: Iterator[Transcript | Failure] = iter(())
    if readable:
        transcriber = load_transcriber(checkpoint, config)
        results = transcriber.transcribe_many(readable, config["batch_seconds"])
    failures = 0
    for source in track(sources, "transcribe", "files"):
        result = source if isinstance(source, Failure) else next(results)
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
    if isinstance(decoder, BeamDecoder):
        # A fault of the language model is no fault of every file.
        decoder.fit(loaded.tokenizer)
    return Transcriber(
        to_device(loaded.model, config["device"]),
        loaded.tokenizer,
        decoder,
        loaded.metadata,
        config.get("max_memory"),
    )


def expand_one(name: str) -> str | bytes:
    """The one source that a name stands for. Raises InputError."""
    [source, *others] = expand(name)
    if others:
        raise InputError(
            f"{name}: {len(others) + 1} recordings, expected 1; name one of them"
        )
    if isinstance(source, Failure):
        raise InputError(source.message)
    return source


def expand(name: str) -> list[str | bytes | Failure]:
    """Turn a file, folder, glob or - into sources.

    Whatever has the ending of a recording is one, and whatever is named itself;
    what is none, or cannot be found, is a Failure in its place.
    """
    if name == "-":
        return [sys.stdin.buffer.read()]
    if os.path.isdir(name):
        found = _expand_folder(name)
    elif os.path.lexists(name):
        return [name]
    else:
        by_path: dict[str, str | Failure] = {}
        for match in find_paths(name):
            for each in _expand_folder(match) if os.path.isdir(match) else [match]:
                by_path[each.source if isinstance(each, Failure) else each] = each
        # `**` matches folders, and what they hold.
        found = [by_path[path] for path in without_repeats(by_path)]
    if not found:
        message = (
            f"{printable(name)}: no audio found, expected a file, a folder with audio "
            "files, a glob, or - for standard input; check the path"
        )
        return [Failure(name, message)]
    return found


def _expand_folder(folder: str) -> list[str | Failure]:
    listing = list_recordings(folder)
    problems = [Failure(path, why) for path, why in listing.problems.items()]
    return [*listing.files, *problems]
