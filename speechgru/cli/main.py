"""The program `speechgru`: finds the command, reports errors in one line."""

import getpass
import importlib
import io
import os
import re
import sys
from pathlib import Path

from speechgru import __version__
from speechgru.interfaces import InputError
from speechgru.ranges import OptionError, nearest
from speechgru.terminal import HarmlessStream, without_controls

MOST_TOLD = 20_000
"""Characters of an error."""

COMMANDS = {
    "new": "make a project of your own recordings: corpus, recipe, script",
    "prepare": "download or take a corpus and write its manifests",
    "convert": "write a corpus, or data of another system, in another format",
    "doctor": "check a corpus before any training time is spent on it",
    "shard": "write a corpus to tar files that are read in their order",
    "advise": "recommend a recipe for a corpus, by what was measured on others",
    "probe": "find the largest batch that fits the device",
    "train": "train a model, or resume or fine-tune one",
    "watch": "show how a run goes on: curves, time left, what is unusual",
    "evaluate": "score a checkpoint on a split of a corpus",
    "compare": "test whether one system is better than another",
    "errors": "print where the errors of a system lie, and what they are",
    "report": "make a page of results, to look at and to listen to",
    "transcribe": "turn audio files into text",
    "stream": "turn sound into text while it comes, e.g. from a microphone",
    "align": "find out when the words of a known text were said",
    "cut": "cut transcribed recordings into utterances to train on",
    "average": "make one checkpoint from the weights of several",
    "runs": "list what was tried, and how well it went",
    "row": "print the rows of a recipe's table, from the runs of its seeds",
    "books": "make text for a language model from books",
    "lm": "estimate a language model from text",
    "tune": "find how much a language model should count",
    "gates": "draw what every GRU layer does with a recording",
    "info": "say what a checkpoint is, and how it was trained",
}


class UsageError(Exception):
    """The command line itself is wrong."""


def main() -> None:
    """Run the command in sys.argv and exit with 0, 1 (input) or 2 (usage)."""
    # A file name that is no UTF-8, or a transcript on an old terminal, is shown
    # with escapes instead of ending the command.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    _name_user()
    full_error = os.environ.get("HYDRA_FULL_ERROR") == "1"
    command, arguments = (sys.argv[1] if len(sys.argv) > 1 else "--help"), sys.argv[2:]
    if command in ("--help", "-h", "help"):
        print(_help())
        return
    if command == "--version":
        print(f"speechgru {__version__}")
        return
    stdout = sys.stdout
    sys.stdout = HarmlessStream(stdout)
    try:
        if command not in COMMANDS:
            raise UsageError(
                f"unknown command {command!r}, expected one of: {', '.join(COMMANDS)}"
                f"{nearest(command, COMMANDS)}"
            )
        status = importlib.import_module(f"speechgru.cli.{command}").main(arguments)
        sys.stdout.flush()  # what fails here would fail, unheard, at the exit
    except BrokenPipeError:
        _drop_output()  # its reader has gone
        status = 1
    except KeyboardInterrupt:
        status = 130
    except Exception as error:
        status = _status(error)
        if full_error or status is None:
            raise
        message = f"speechgru {command}: {_message(error, command)}"
        print(without_controls(_shorten(message)), file=sys.stderr)
        try:
            sys.stdout.flush()
        except OSError:  # it is that which failed: a full disk
            _drop_output()
    finally:
        sys.stdout = stdout
    sys.exit(status)


def _drop_output() -> None:
    """Keep the interpreter's exit, which writes what is left, quiet."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _name_user() -> None:
    """Name a user whom the system does not know, as in a container.

    torch wants to call a cache by the name.
    """
    try:
        getpass.getuser()
    except (KeyError, OSError):  # the latter from Python 3.13 on
        os.environ["LOGNAME"] = f"user{os.getuid()}"


def _status(error: Exception) -> int | None:
    """1 for bad input, 2 for wrong use, None for what we did not foresee."""
    if isinstance(error, (UsageError, OptionError)) or _is_config_error(error):
        return 2
    return 1 if isinstance(error, (InputError, OSError, ImportError)) else None


def _shorten(message: str) -> str:
    """Leave out the middle of what quotes a file, or an option, of no end."""
    if len(message) <= MOST_TOLD:
        return message
    half = MOST_TOLD // 2
    return f"{message[:half]} ... ({len(message)} characters) ... {message[-half:]}"


def _is_config_error(error: BaseException) -> bool:
    # By name, so that a command without Hydra need not import it.
    modules = {cls.__module__.partition(".")[0] for cls in type(error).__mro__}
    return bool(modules & {"hydra", "omegaconf"})


def _message(error: BaseException, command: str) -> str:
    """The error and, for Hydra's, what it was caused by."""
    if isinstance(error, OSError) and error.filename:
        return (
            f"{error.filename}: {error.strerror}; check the path, its permissions and "
            "the space left"
        )
    text = str(error).strip()
    if _is_config_error(error):
        cause = error.__cause__
        if cause is not None and str(cause) not in text:
            text += f"\n{cause}"
        text = _explain(text, command)
    return text or type(error).__name__


def _explain(text: str, command: str) -> str:
    """Hydra's message in the words of the user, with the nearest name there is."""
    from speechgru.cli.help import nearest_option
    from speechgru.options.choices import FORMER, PROJECT_FILE, choices

    text = text.partition("\nConfig search path:")[0]
    unknown = re.search(r"Could not override '([\w.-]+)'", text)
    if unknown and "is not in struct" in text:
        group, _, option = unknown[1].partition(".")
        other = f"; another choice of {group} may have it" if option else ""
        text = (
            f"{unknown[1]} is no option here"
            f"{nearest_option(command, unknown[1]) or other}"
        )
    elif unset := re.search(r"You must specify '(\w+)'", text):
        group = unset[1]
        names = ", ".join(choices(group))
        text = f"{group} is not chosen; set {group}=NAME, one of: {names}"
    elif missing := re.search(r"Could not (find|load) '(\w+)/([^']+)'", text):
        group, name = missing[2], missing[3]
        if (group, name) in FORMER:
            return f"{group}={name} is {group}={FORMER[group, name]} now"
        text += nearest(missing[3], choices(missing[2])).replace("; ", "\n")
        if not Path(PROJECT_FILE).is_file():
            text += f"\n{group}={name} of a project is chosen in the project's folder"
    elif "LexerNoViableAlt" in text:
        text += (
            "\nput quotes around text beyond a-z within the shell's: "
            "'decoder.hotwords=[\"né\"]'"
        )
    # "To append to your config use +KEY" is no remedy: nothing obeys KEY. What
    # begins with an underscore is a base of choices.
    lines = [
        line
        for line in text.splitlines()
        if "To append to" not in line and not line.startswith("\t_")
    ]
    remedy = (
        "--help lists the choices, GROUP=CHOICE --help the options of one, "
        "--cfg job prints every option"
    )
    return "\n".join([*lines, remedy])


def _help() -> str:
    lines = [
        f"speechgru {__version__}: speech recognition with GRU encoders and CTC",
        "",
        "usage: speechgru COMMAND [ARGUMENT ...] [KEY=VALUE ...]",
        "",
        *[f"  {name:<12}{summary}" for name, summary in COMMANDS.items()],
        "",
        "speechgru COMMAND --help explains one of them; --version prints the version.",
    ]
    return "\n".join(lines)
