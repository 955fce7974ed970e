"""Nobody waits for what a command does not use."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import speechgru
from speechgru.cli.main import COMMANDS

CLI = Path(speechgru.__file__).parent / "cli"
HEAVY = {
    *("torch", "torchaudio", "lightning", "hydra", "omegaconf", "matplotlib"),
    *("soundfile", "scipy", "jiwer", "torchmetrics", "numpy"),
}
SCORES = {"jiwer", "numpy"}
HEARS = {"torch", "torchaudio", "soundfile", "numpy", "jiwer"}
MAY_LOAD = {
    ("compare",): SCORES,
    ("runs",): SCORES | {"matplotlib"},
    ("watch",): set(),
    ("info", "average"): {"torch", "torchaudio", "numpy"},
    ("prepare", "convert", "doctor", "shard", "transcribe", "align", "evaluate"): HEARS,
    ("lm", "books", "cut", "stream", "new"): HEARS,
    ("row", "report", "errors"): HEARS,
    ("gates", "tune"): HEARS | {"matplotlib"},
}
"""Of HEAVY, by the commands that work with it; `train`, and `probe` and `advise`, which
train, take everything, and Hydra composes the options of each."""


def loaded_by(code):
    """Names of HEAVY that are loaded once some code has run in a new process."""
    names = sorted(HEAVY)
    code += f"\nimport sys\nprint('--')\nprint(*set({names}) & sys.modules.keys())"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(result.stdout.rpartition("--")[2].split())


def rooms_of(command):
    """Imports of a command's module, also those inside its functions."""
    tree = ast.parse((CLI / f"{command}.py").read_text())
    return [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("speechgru")
    ]


def test_help_and_the_command_table_load_nothing_heavy():
    code = (
        "import contextlib, importlib, io\n"
        f"for command in {[*COMMANDS]}:\n"
        "    module = importlib.import_module(f'speechgru.cli.{command}')\n"
        "    with contextlib.redirect_stdout(io.StringIO()) as shown:\n"
        "        with contextlib.suppress(SystemExit):\n"
        "            module.main(['--help'])\n"
        "    assert f'usage: speechgru {command}' in shown.getvalue(), command\n"
    )
    assert loaded_by(code) == set()


def test_every_command_has_its_group():
    grouped = {command for commands in MAY_LOAD for command in commands}
    assert grouped == {*COMMANDS} - {"train", "probe", "advise"}


@pytest.mark.parametrize("commands", MAY_LOAD, ids="-".join)
def test_a_command_loads_what_it_uses(commands):
    code = "\n".join(line for command in commands for line in rooms_of(command))
    assert loaded_by(code) <= MAY_LOAD[commands]


def test_texts_are_written_without_torch():
    # So that a transcription that finds all of it done takes no second.
    code = "import speechgru.cli.transcribe, speechgru.transcribe.job"
    assert "torch" not in loaded_by(code)
