"""The site builds, and what it generates is on it."""

import html
import re

import pytest
from docs.blocks import ROOT

pytest.importorskip("mkdocs", reason="needs the extra docs: make docs")
pytest.importorskip("material", reason="needs the extra docs: make docs")
pytest.importorskip("mkdocstrings", reason="needs the extra docs: make docs")

import speechgru
from speechgru.cli.main import COMMANDS
from speechgru.options.choices import choices


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The whole site; a warning, such as of a link to nothing, is an error."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    folder = tmp_path_factory.mktemp("site")
    build(load_config(str(ROOT / "mkdocs.yml"), strict=True, site_dir=str(folder)))
    return folder


def words_of(page):
    return html.unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))


def test_every_command_and_choice_is_on_the_page_of_commands(site):
    words = words_of(site / "reference/commands/index.html")
    for command in COMMANDS:
        assert f"usage: speechgru {command}" in words
    for group in ("encoder", "decoder", "subsampling", "trainer"):
        for choice in choices(group):
            assert f"{group}={choice}" in words


def test_every_public_name_is_on_the_page_of_python(site):
    page = (site / "reference/python/index.html").read_text(encoding="utf-8")
    for name in set(speechgru.__all__) - {"__version__"}:
        assert f'id="speechgru.{name}"' in page, name
