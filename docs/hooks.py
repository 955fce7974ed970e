"""Fill the page of commands from `conf/` when the site is built."""

from speechgru.cli.help import explain, option_lines
from speechgru.cli.main import COMMANDS
from speechgru.options.choices import CONF_DIR, choices

PLACE = "<!-- commands -->"
WHOLE = ("recipe", "debug")
"""Groups whose choices set options of others, and have none of their own."""


def on_page_markdown(markdown: str, page, config, files) -> str:
    """Replace the mark by a section for each command and each choice."""
    return markdown.replace(PLACE, describe_all()) if PLACE in markdown else markdown


def describe_all() -> str:
    """Commands with their options, then the choices of each group."""
    parts = []
    for command, summary in COMMANDS.items():
        shown = explain(command, f"usage: speechgru {command} ...")
        parts.append(
            f"## {command}\n\n{summary.capitalize()}.\n\n```text\n{shown}\n```\n"
        )
    groups = sorted(path.name for path in CONF_DIR.iterdir() if path.is_dir())
    for group in groups:
        if group in WHOLE:
            continue
        parts.append(f"## {group}=\n")
        for choice in choices(group):
            lines = option_lines(group, choice).values()
            text = "\n".join(line.rstrip() for each in lines for line in each)
            shown = f"```yaml\n{text}\n```" if text else "It has no options."
            parts.append(f"### {group}={choice}\n\n{shown}\n")
    return "\n".join(parts)
