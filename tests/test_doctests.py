"""Examples in docstrings are true."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import speechgru

PACKAGE = Path(speechgru.__file__).parent
MODULES = [
    ".".join(("speechgru", *path.relative_to(PACKAGE).with_suffix("").parts))
    for path in sorted(PACKAGE.rglob("*.py"))
    if ">>> " in path.read_text()
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_say(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results = doctest.testmod(import_module(name.removesuffix(".__init__")))
    assert results.attempted > 0
    assert results.failed == 0


def test_public_classes_and_functions_show_how_they_are_used():
    shown = ("ErrorRate", "Utterance", "read_manifest")
    for name in shown:
        assert ">>> " in getattr(speechgru, name).__doc__, name
