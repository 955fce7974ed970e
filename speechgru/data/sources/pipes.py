"""Commands of Kaldi's wav.scp, run because the user said that they are trusted."""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from speechgru.data.sources.kaldi import FILES
from speechgru.data.sources.reading import Reading
from speechgru.data.sources.scp import decoded_file, is_command, read_table
from speechgru.data.targets.audio_files import safe_name
from speechgru.files import printable, reason, replace_by_parts
from speechgru.interfaces import InputError
from speechgru.progress import track

_BLOCK = 1 << 20  # bytes
_LONGEST_ERROR = 300  # characters


def run_pipes(
    folder: Path, root: str | None, output: Path, overwrite: bool = False
) -> Path:
    """Make a data folder without commands, with what they write as files.

    A recording that is there from an earlier run, of the same command, is not made
    again.

    Args:
        folder: a data folder.
        root: where commands are run and relative paths begin; None: the working
            directory.
        output: the new folder.
        overwrite: whether to make them again all the same.

    Returns:
        The new folder.

    Raises:
        InputError: a command fails, or wav.scp cannot be read.
    """
    base = Path.cwd() if root is None else Path(root).expanduser().absolute()
    with Reading(folder) as reading:
        table = read_table(folder / "wav.scp", reading)
    lines = {}
    for name, value in track(table.items(), "running commands", "recordings"):
        if not is_command(value) or decoded_file(value) is not None:
            lines[name] = value
            continue
        if not value.endswith("|"):
            raise InputError(
                f"{folder / 'wav.scp'}: {name}: {printable(value[:80])!r} writes, or "
                "reads standard input, expected a command that ends in |; correct it"
            )
        command = value.removesuffix("|").strip()
        audio = output / "audio" / _name_file(name, command, base)
        if overwrite or not audio.exists():
            place = f"{folder / 'wav.scp'}: {name}"
            replace_by_parts(audio, _run(command, base, place))
        lines[name] = str(audio.absolute())
    for file in FILES:
        if file != "wav.scp" and (folder / file).exists():
            try:
                output.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(folder / file, output / file)
            except OSError as error:
                raise InputError(
                    f"{output / file}: cannot be written ({reason(error)}); check the "
                    "folder's permissions and the space left"
                ) from error
    replace_by_parts(
        output / "wav.scp", (f"{n} {v}\n".encode() for n, v in lines.items())
    )
    return output


def _name_file(name: str, command: str, folder: Path) -> str:
    """That of what a command writes: no other command and recording share it."""
    key = "\0".join([name, command, str(folder)]).encode()
    return f"{safe_name(name)}-{hashlib.blake2b(key, digest_size=6).hexdigest()}.wav"


def _run(command: str, folder: Path, place: str) -> Iterator[bytes]:
    """What a command writes, if it ends well."""
    with tempfile.TemporaryFile() as told:
        with subprocess.Popen(
            ["/bin/sh", "-c", command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=told,
        ) as process:
            assert process.stdout is not None
            while block := process.stdout.read(_BLOCK):
                yield block
        if process.returncode != 0:
            told.seek(0)
            said = told.read(_LONGEST_ERROR).decode("utf-8", "replace").strip()
            raise InputError(
                f"{place}: {printable(command[:80])!r} ended with "
                f"{process.returncode} ({printable(said) or 'and said nothing'}), "
                "expected a recording; correct the command, or set corpus.root"
            )
