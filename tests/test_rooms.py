"""Every room imports only what its row allows; see docs/explanation/architecture.md."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import speechgru

PACKAGE = Path(speechgru.__file__).parent

EVERYWHERE = {"interfaces", "ranges"}
WITH_FILES = EVERYWHERE | {
    *("progress", "terminal", "bounded", "records", "files", "run_files")
}
WITH_CACHE = WITH_FILES | {"cache", "remote"}
ALLOWED = {
    "interfaces": set(),
    "ranges": {"interfaces"},
    "blocks": set(),
    "scratch": EVERYWHERE,
    "progress": set(),
    "terminal": set(),
    "bounded": set(),
    "threads": EVERYWHERE,
    "process_memory": set(),
    "records": EVERYWHERE,
    "run_files": set(),
    "files": EVERYWHERE | {"bounded", "records"},
    "cache": EVERYWHERE,
    "remote": WITH_FILES | {"cache"},
    "provenance": set(),
    "espeak": EVERYWHERE,
    "options": WITH_FILES,
    "audio": WITH_CACHE | {"blocks"},
    "text": WITH_FILES | {"espeak"},
    "features": EVERYWHERE | {"blocks"},
    "data": WITH_CACHE | {"threads", "espeak", "audio", "text", "features"},
    "model": EVERYWHERE | {"blocks", "scratch", "features"},
    "checkpoint": WITH_FILES | {"text", "features", "model"},
    "lm": EVERYWHERE | {"bounded", "records", "files"},
    "decode": WITH_FILES | {"scratch", "text", "lm"},
    "score": WITH_FILES,
}
LINE = {"audio", "text", "features", "data", "model", "checkpoint", "lm", "decode"}
BELOW = WITH_CACHE | LINE | {"blocks", "scratch", "options", "score"}
ALLOWED |= {
    "factory": BELOW,
    "conversion": BELOW | {"factory"},
    "advice": BELOW | {"factory"},
    "project": BELOW | {"factory", "advice"},
    "training": BELOW
    | {"threads", "process_memory", "provenance", "factory", "advice"},
    "runs": BELOW | {"factory", "training"},
    "transcribe": BELOW | {"threads", "process_memory", "factory"},
    "evaluation": BELOW | {"threads", "provenance", "factory", "runs", "transcribe"},
    "report": BELOW | {"threads", "factory", "runs", "transcribe", "evaluation"},
}
ROOMS = {*ALLOWED, "cli"}
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
    } - {"__version__"}
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
    if room_of(path) != "training":
        assert not top & {"lightning", "pytorch_lightning"}


def test_recipes_hold_no_code_and_benchmarks_use_the_rooms():
    project = PACKAGE.parent
    assert list((project / "recipes").rglob("*.py")) == []
    found = [*(project / "benchmarks").rglob("*.py")]
    assert found
    for path in found:
        assert not [
            name for name in imported(path) if f"{name}.".startswith("speechgru.cli.")
        ], path


def test_every_room_has_a_row():
    rooms = {room_of(path) for path in MODULES} - {"__init__", "__main__"}
    assert rooms == ROOMS


def test_transcription_loads_no_training_framework():
    code = (
        "import sys, speechgru; assert 'torch' not in sys.modules; "
        "speechgru.Transcriber; import speechgru.checkpoint.load; "
        "print(*{'hydra', 'omegaconf', 'lightning', 'torchmetrics', 'jiwer'} "
        "& set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""


def test_the_page_on_architecture_lists_the_rooms_in_their_order():
    page = Path(__file__).parents[1] / "docs/explanation/architecture.md"
    table = re.findall(r"^\| `(\w+)` \|", page.read_text(), re.MULTILINE)
    assert set(table) == ROOMS
    for place, room in enumerate(table):
        above = {*table[:place], "interfaces"}
        assert ALLOWED.get(room, set()) <= above | {room}, room
