"""The recordings that a command line names, also by lists of them."""

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace

from speechgru.data.manifest import read_manifest
from speechgru.files import printable, read_lines
from speechgru.interfaces import InputError
from speechgru.transcribe.inputs import Input, list_inputs
from speechgru.transcribe.places import source_of

LIST = "@"
"""Begins the name of a file that lists recordings; @- is standard input."""

MANIFEST = ".jsonl"
"""Ending of the name of a manifest."""


def find_inputs(names: Iterable[str]) -> list[Input]:
    """All recordings that names stand for, in their order.

    Beside what `expand` takes, a name is @LIST, a file with a name on each line, @- for
    such lines from standard input, or a manifest of this project.

    Raises:
        InputError: a list or a manifest cannot be read.
    """
    return [each for name in names for each in _find(name)]


def _find(name: str) -> Iterator[Input]:
    if os.path.lexists(name) and not name.endswith(MANIFEST):
        yield from list_inputs([name])
    elif name.startswith(LIST):
        for line in _read_list(name.removeprefix(LIST)):
            for each in list_inputs([line]):
                yield _place(each, os.getcwd())
    elif name.endswith(MANIFEST) and os.path.isfile(name):
        folder = os.path.dirname(os.path.abspath(name))
        for each in _read_manifest(name):
            yield _place(each, folder)
    else:
        yield from list_inputs([name])


def _read_list(name: str) -> list[str]:
    if name == "-":
        content = sys.stdin.buffer.read()
        lines = [os.fsdecode(line) for line in content.split(b"\n")]
        lines = [line.removesuffix("\r") for line in lines]
    else:
        lines = read_lines(name, "a list with the name of a recording on each line")
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise InputError(
            f"{LIST}{printable(name)}: names nothing, expected the name of a recording "
            "on each line; check what made it"
        )
    if "-" in lines:
        raise InputError(
            f"{LIST}{printable(name)}: names -, standard input, expected files; name "
            "it on the command line"
        )
    return lines


def _read_manifest(name: str) -> list[Input]:
    """What a manifest consists of, each once: files, and parts of files.

    A part is called by its file and its times: a-12.500-14.000.wav.
    """
    found: dict[Input, None] = {}
    for utterance in read_manifest(name):
        path = str(utterance.audio_path)
        if utterance.byte_range is not None:
            raise InputError(
                f"{printable(name)}: {printable(utterance.id)} lies inside a larger "
                "file, expected files of audio; unpack them, and name these"
            )
        each = Input(path, path, speaker=utterance.speaker)
        if utterance.partial:
            start, end = utterance.offset, utterance.offset + utterance.duration
            stem, ending = os.path.splitext(path)
            place = f"{stem}-{start:.3f}-{end:.3f}{ending}"
            each = replace(each, place=place, start=start, end=end)
        found[each] = None
    return list(found)


def _place(each: Input, folder: str) -> Input:
    """The same, in a place that its path alone decides: below a folder, or whole."""
    if isinstance(each.source, bytes):
        return each
    path = os.path.join(os.path.dirname(source_of(each)), os.path.basename(each.place))
    is_below = path.startswith(os.path.join(folder, ""))
    return replace(each, place=os.path.relpath(path, folder if is_below else "/"))


def without_repeats(inputs: Iterable[Input]) -> tuple[list[Input], list[str]]:
    """Each recording once, by its first name, and a line on each of its others.

    A name that cannot be looked at stays, as whoever opens it will say why.
    """
    first: dict[tuple[object, ...], Input] = {}
    said = []
    for number, each in enumerate(inputs):
        key: tuple[object, ...] = (number,)
        if isinstance(each.source, str):
            try:
                status = os.stat(each.source)
                key = status.st_dev, status.st_ino, each.start, each.end
            except (OSError, ValueError):
                pass
        elif isinstance(each.source, bytes):
            key = ("-",)
        if key not in first:
            first[key] = each
            continue
        path, former = source_of(each), source_of(first[key])
        found = "named twice" if path == former else f"is {printable(former)} again"
        said.append(f"{printable(path)}: {found}; transcribed once")
    return list(first.values()), said
