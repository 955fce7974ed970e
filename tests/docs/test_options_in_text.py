"""Options that pages name outside of commands exist, too."""

import re
from pathlib import Path

import pytest
from docs.blocks import PAGES, ROOT

from speechgru.cli.help import known_options
from speechgru.cli.main import COMMANDS
from speechgru.options.choices import CONF_DIR, choices

ELSEWHERE = {"weights_only", "hydra.run.dir", "hydra.sweep.dir"}
"""Of torch and of Hydra."""

KNOWN = ELSEWHERE.union(
    *(known_options(c) for c in COMMANDS if (CONF_DIR / f"{c}.yaml").is_file())
)
NAMED = re.compile(r"'?([a-z_][a-z_.]*)=(.*?)'?")


def named_options(page: Path):
    """Name and value of each `name=value` in the text of a page."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for code in re.findall(r"`([^`\n]+)`", text):
        if found := NAMED.fullmatch(code.removeprefix("-m ").removesuffix(" --help")):
            yield found.groups()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_options_in_the_text_exist(page):
    for name, value in named_options(page):
        is_group = (CONF_DIR / name).is_dir()
        assert is_group or name in KNOWN, f"{page}: {name}"
        if is_group and value:
            for choice in value.strip("[]").split(","):
                assert choice in choices(name), f"{page}: {name}={choice}"


def test_the_tables_of_formats_and_decoders_are_whole():
    for page, group, expected in (
        ("formats", "format", set(known_formats())),
        ("language-models", "decoder", set(choices("decoder"))),
    ):
        text = (ROOT / f"docs/how-to/{page}.md").read_text(encoding="utf-8")
        table = text.partition(f"| `{group}=` |")[2].partition("\n\n")[0]
        assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == expected


def known_formats():
    folder = ROOT / "speechgru/transcribe/formats"
    return [path.stem for path in folder.glob("*.py") if path.stem != "__init__"]
