"""What stands on a page to be run."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]

_BLOCK = re.compile(
    r"(?P<mark><!-- not run: [^>]+ -->\n)?"
    r"```(?P<kind>sh|python|yaml)\n(?P<text>.*?)```",
    re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block of commands, of Python or of a configuration.

    Attributes:
        kind: "sh", "python" or "yaml".
        text: inside the fences.
        is_run: whether the page does not say that it is not.
    """

    kind: str
    text: str
    is_run: bool

    @property
    def file(self) -> str | None:
        """The path that stands on the first line, if the block is a file."""
        found = re.match(r"# ([\w/]+\.(?:py|yaml))\n", self.text)
        return found[1] if found else None

    @property
    def commands(self) -> list[list[str]]:
        """Words of each line of a shell block."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [words for line in lines if (words := shlex.split(line, comments=True))]


def read_blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page, in their order."""
    for match in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        yield Block(match["kind"], match["text"], match["mark"] is None)
