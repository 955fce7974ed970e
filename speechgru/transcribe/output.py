"""Where transcripts are written: one file for all, or a file for each recording."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from speechgru.interfaces import InputError
from speechgru.options.transcription import TranscribeOptions
from speechgru.transcribe.folder import Folder
from speechgru.transcribe.format_table import (
    check_ending,
    check_several,
    find_formats,
)
from speechgru.transcribe.inputs import Input
from speechgru.transcribe.one_file import OneFile
from speechgru.transcribe.places import source_of
from speechgru.transcribe.settings import settings_of
from speechgru.transcribe.shard import Shard
from speechgru.transcribe.transcript import Failure, Transcript

BESIDE = "beside"
"""As output: each file goes beside its recording."""


class Output(Protocol):
    """Where transcripts go, and which are there already."""

    def is_done(self, each: Input) -> bool:
        """Whether the transcript of a recording is there, and as it would be made.

        Raises:
            InputError: something else is in its place.
        """

    def write(self, each: Input, transcript: Transcript) -> None:
        """Write a transcript. Raises InputError."""

    def close(self) -> None:
        """Let other processes have it."""


def open_output(
    checkpoint: str, options: TranscribeOptions, inputs: Sequence[Input]
) -> Output | None:
    """Find a place for every transcript, before anything is computed.

    An output that ends in `/`, or is a folder already, becomes a folder with files of
    each recording: called as it is, with the ending of the format, and below the
    same folders; so does any output of several formats. "beside" puts them beside
    the recordings. Any other output is one file for all.

    Args:
        checkpoint: that transcripts are made with.
        options: of the command.
        inputs: those that are failures need no place.

    Returns:
        None: without output, they are the caller's.

    Raises:
        InputError: a format holds one recording and there are several, the file is
            called as one of another format, something else is in a place, or
            another process is writing there.
    """
    formats = find_formats(options.format)
    names = [options.format] if isinstance(options.format, str) else options.format
    readable = [each for each in inputs if not isinstance(each.source, Failure)]
    output, several = options.output, "set output=FOLDER/ for one file each"
    if output is None and len(formats) > 1:
        raise InputError(
            f"format is [{','.join(names)}], but output is not set, expected "
            "a folder for a file of each format; set output=FOLDER/, or beside"
        )
    is_beside = output == BESIDE
    is_folder = output is not None and names_folder(output, len(formats))
    if not (is_folder or is_beside):
        check_several(names[0], len(readable), several)
    if output is None or not readable:
        return None
    settings = settings_of(checkpoint, options)
    if is_folder or is_beside:
        places = {
            each: _beside(each) if is_beside else (Path(output), _stem(each.place))
            for each in readable
        }
        shard = None if options.shard is None else Shard.parse(options.shard)
        return Folder(places, formats, settings, options.overwrite, shard)
    check_ending(formats[0], output)
    if options.shard is not None:
        raise InputError(
            f"output is {output}, one file, which the processes of other shards could "
            "not share, expected a folder; set output=FOLDER/"
        )
    named = len(inputs) > 1
    settings |= {"format": names[0], "named": named}
    return OneFile(Path(output), formats[0], named, settings, options.overwrite)


def names_folder(output: str, num_formats: int) -> bool:
    """Whether an output is a folder with files of each recording."""
    return output.endswith("/") or os.path.isdir(output) or num_formats > 1


def _beside(each: Input) -> tuple[Path, str]:
    """The folder that was named, which a recording lies in or below, and where."""
    if isinstance(each.source, bytes):
        raise InputError(
            "output is beside, but standard input lies nowhere, expected files; set "
            "output=FOLDER/"
        )
    folder, place = Path(source_of(each)).parent, Path(each.place)
    below = place.parent.parts
    # What was named by its whole path, as in a list, lies in its own folder.
    is_whole = len(below) >= len(folder.parts) - 1
    if not below or is_whole or folder.parts[-len(below) :] != below:
        return folder, _stem(place.name)
    return folder.parents[len(below) - 1], _stem(each.place)


def _stem(place: str) -> str:
    return os.path.splitext(place)[0]
