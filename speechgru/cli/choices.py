"""What `conf/` offers, and saying so."""

import re
from collections.abc import Sequence
from pathlib import Path

_INSTALLED = Path(__file__).parents[1] / "conf"
CONF_DIR = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[2] / "conf"
"""Inside the package in a wheel, beside it in a checkout."""


def explain(command: str, usage: str, arguments: Sequence[str] = ()) -> str:
    """A command's usage, choices and options, as its primary YAML lists them.

    Of choices among the arguments, as GROUP=CHOICE, the options as well.
    """
    text = (CONF_DIR / f"{command}.yaml").read_text(encoding="utf-8")
    groups = re.findall(r"^  - (\w+): (\S+)", text, re.MULTILINE)
    body = re.sub(r"^defaults:\n(  .*\n)+\n?", "", text).partition("\nhydra:")[0]
    lines = [usage.strip(), ""]
    if groups:
        lines += ["choices, as GROUP=CHOICE, with their defaults:"]
        lines += [
            f"  {f'{group}={default}':<24}{' | '.join(choices(group))}"
            for group, default in groups
        ]
        lines += [
            "  (an option of a choice is set by GROUP.OPTION=VALUE; GROUP=CHOICE",
            "  --help lists those of one)",
            "",
        ]
    lines += ["options, as KEY=VALUE, with their defaults:"]
    lines += [f"  {line}" for line in body.strip().splitlines()]
    lines += [""]
    given = [argument.partition("=") for argument in arguments]
    for group, _, choice in given:
        path = CONF_DIR / group / f"{choice}.yaml"
        if group in dict(groups) and path.is_file():
            lines += [f"options of {group}={choice}, as {group}.OPTION=VALUE:"]
            described = path.read_text(encoding="utf-8").strip().splitlines()
            lines += [f"  {line}" for line in described if line[:1] not in "_#"] + [""]
    lines += ["--cfg job prints the composed configuration and stops;"]
    lines += ["--config-dir DIR adds a folder of your own YAMLs."]
    return "\n".join(lines)


def choices(group: str) -> list[str]:
    """Names of the choices of a group."""
    folder = CONF_DIR / group
    return sorted(
        path.relative_to(folder).with_suffix("").as_posix()
        for path in folder.rglob("*.yaml")
    )
