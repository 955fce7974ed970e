"""Every room imports only what its row allows; see README, "How it is built"."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import speechgru

PACKAGE = Path(speechgru.__file__).parent

EVERYWHERE = {"interfaces", "options"}
ALLOWED = {
    "interfaces": set(),
    "options": {"interfaces"},
    "progress": set(),
    "bounded": set(),
    "files": EVERYWHERE | {"bounded"},
    "audio": EVERYWHERE | {"files"},
    "text": EVERYWHERE,
    "features": EVERYWHERE,
    "data": EVERYWHERE | {"progress", "bounded", "files", "audio", "text"},
    "model": EVERYWHERE | {"progress", "bounded", "files", "text", "features"},
    "lm": EVERYWHERE | {"bounded", "files"},
    "decode": EVERYWHERE | {"bounded", "files", "text", "lm"},
    "score": EVERYWHERE | {"bounded", "files"},
    "task": EVERYWHERE
    | {"progress", "files", "features", "data", "model", "decode", "score"},
    "transcribe": EVERYWHERE | {"files", "audio", "model", "decode"},
}
ROOMS = {*ALLOWED, "cli"}
WITH_LIGHTNING = {"data/datamodule.py", "cli/run.py"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Full names of all that a module imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.name))
def test_no_import_leaves_its_row(path):
    room = room_of(path)
    # `speechgru.Transcriber` counts, and `speechgru` alone: it reaches any room.
    found = {
        name.partition(".")[2].partition(".")[0]
        for name in imported(path)
        if name.partition(".")[0] == "speechgru"
    }
    if room in ALLOWED:
        assert found <= ALLOWED[room] | {room}
    else:
        # The package itself and `python -m speechgru` only open the door.
        assert room in ("cli", "__init__", "__main__")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.name))
def test_hydra_and_lightning_stay_where_they_belong(path):
    top = {name.partition(".")[0] for name in imported(path)}
    if room_of(path) != "cli":
        assert not top & {"hydra", "omegaconf"}
    inside = str(path.relative_to(PACKAGE).as_posix())
    if room_of(path) != "task" and inside not in WITH_LIGHTNING:
        assert not top & {"lightning", "pytorch_lightning"}


def test_every_room_has_a_row():
    rooms = {room_of(path) for path in MODULES} - {"__init__", "__main__"}
    assert rooms == ROOMS


def test_transcription_loads_no_training_framework():
    code = (
        "import sys, speechgru; assert 'torch' not in sys.modules; "
        "speechgru.Transcriber; import speechgru.model.checkpoint; "
        "print(*{'hydra', 'omegaconf', 'lightning', 'torchmetrics', 'jiwer'} "
        "& set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""
