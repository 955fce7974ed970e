"""The formats of transcripts, for every command.

A format is a module of `transcribe/formats/`, called by its name: a new one is a
new module, and its name in the comments of conf/transcribe.yaml and conf/align.yaml.
"""

from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol, cast

from speechgru.files import printable
from speechgru.interfaces import InputError
from speechgru.ranges import nearest
from speechgru.transcribe import formats
from speechgru.transcribe.transcript import Transcript

FORMER = {"text": "txt"}
"""Names that formats had, which are still taken."""

ALSO_CALLED = {"json": ["jsonl"], "jsonl": ["json"], "txt": ["tsv"]}
"""Formats that a file may be called as, too: several texts are a table."""


class Format(Protocol):
    """What a module of a format has.

    Attributes:
        ENDING: of the name of a file, with its dot.
        HOLDS_SEVERAL: whether what `render` gives for several recordings can
            follow each other in one output.
    """

    __name__: str
    ENDING: str
    HOLDS_SEVERAL: bool

    def render(self, transcript: Transcript, named: bool) -> str:
        """Write a recording, to its last line end.

        Args:
            transcript: of the recording.
            named: whether a reader must be told which recording it is; a format
                that always says so, or never, need not care.
        """


def format_names() -> list[str]:
    """Names of all formats, sorted."""
    return sorted(module.name for module in iter_modules(formats.__path__))


def find_format(name: str) -> Format:
    """The format of a name. Raises InputError: there is none."""
    names = format_names()
    name = FORMER.get(name, name)
    if name not in names:
        raise InputError(
            f"format is {name!r}, expected one of: {', '.join(names)}"
            f"{nearest(str(name), names)}"
        )
    return cast(Format, import_module(f"{formats.__name__}.{name}"))


def find_formats(names: str | Sequence[str]) -> list[Format]:
    """The formats of one name or several.

    Raises:
        InputError: there is no such format, or one is named twice, or none.
    """
    names = [names] if isinstance(names, str) else list(names)
    found = [find_format(name) for name in names]
    if not found or len({each.ENDING for each in found}) < len(found):
        raise InputError(
            f"format is [{','.join(names)}], expected one or several that differ; "
            "name each once"
        )
    return found


def check_several(name: str, num_recordings: int, remedy: str) -> None:
    """See that a format holds so many recordings in one output.

    Raises:
        InputError: it does not; the message names those that do.
    """
    if num_recordings > 1 and not find_format(name).HOLDS_SEVERAL:
        suitable = [each for each in format_names() if find_format(each).HOLDS_SEVERAL]
        raise InputError(
            f"format={name} holds one recording, but there are {num_recordings}; "
            f"{remedy}, or take a format that holds several: {', '.join(suitable)}"
        )


def check_ending(format: Format, output: str) -> None:
    """See that a file is not called as one of another format.

    Raises:
        InputError: it is; whoever asks for talk.srt means subtitles.
    """
    own = format.__name__.rpartition(".")[2]
    suitable = {own, "txt", *ALSO_CALLED.get(own, ())}  # .txt may be anything
    for other in format_names():
        ending = find_format(other).ENDING
        if other not in suitable and output.lower().endswith(ending.lower()):
            raise InputError(
                f"output is {printable(output)}, but format is {own}, expected a name "
                f"that ends in {format.ENDING}; set format={other}, or another name"
            )
