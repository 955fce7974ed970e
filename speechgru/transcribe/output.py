"""Where transcripts are written: one file for all, or a folder with one each."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from speechgru.files import printable, reason, replace_file
from speechgru.interfaces import InputError
from speechgru.transcribe.format_table import check_several, find_format
from speechgru.transcribe.inputs import Input
from speechgru.transcribe.transcript import Failure

Write = Callable[[Input, str], None]


def plan_output(
    output: str | None, format: str, inputs: Sequence[Input]
) -> Write | None:
    """Check, before anything is computed, that all transcripts have a place.

    An output that ends in `/`, or is a folder already, becomes a folder with a
    file a recording: called as it is, with the ending of the format, and below the
    same folders. Any other output is one file, to which each transcript is added as
    soon as it is there. No file that exists is ever replaced.

    Args:
        output: path; None: standard output, which is the caller's.
        format: name.
        inputs: those that are failures need no place.

    Returns:
        A function that writes what a format made of an input; None without output.

    Raises:
        InputError: the format holds one recording and there are several, the file
            or one of the files exists, or two recordings would share one.
    """
    readable = [each for each in inputs if not isinstance(each.source, Failure)]
    if output is not None and (output.endswith("/") or os.path.isdir(output)):
        return _plan_folder(Path(output), find_format(format).ENDING, readable)
    check_several(format, len(readable), "set output=FOLDER/ for one file each")
    if output is None:
        return None
    _refuse_existing(Path(output))
    return lambda _, text: _append(Path(output), text)


def _plan_folder(folder: Path, ending: str, inputs: Sequence[Input]) -> Write:
    owners: dict[Path, Input] = {}
    paths: dict[Input, Path] = {}
    for each in inputs:
        path = folder / f"{os.path.splitext(each.place)[0]}{ending}"
        if path in owners:
            raise InputError(
                f"{_describe(owners[path])} and {_describe(each)}: both would be "
                f"written to {printable(str(path))}, expected a file of its own for "
                "each recording; rename one, or transcribe them into two folders"
            )
        _refuse_existing(path)
        owners[path] = each
        paths[each] = path
    return lambda each, text: replace_file(paths[each], _encode(text))


def _refuse_existing(path: Path) -> None:
    if os.path.lexists(path) and (path.is_file() or path.is_symlink()):
        raise InputError(
            f"{printable(str(path))}: exists already, expected a new file; move it "
            "away, or set another output"
        )


def _append(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(_encode(text))
    except OSError as error:
        raise InputError(
            f"{printable(str(path))}: cannot be written ({reason(error)}); free some "
            "space, or check the folder's permissions"
        ) from error


def _encode(text: str) -> bytes:
    # The bytes of a file name that are no UTF-8 are kept as they are.
    return text.encode("utf-8", "surrogateescape")


def _describe(each: Input) -> str:
    return printable(each.source if isinstance(each.source, str) else each.place)
