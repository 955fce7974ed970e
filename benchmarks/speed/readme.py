"""The part of README.md that is written, and the machine that it tells of."""

import os
import platform
import re
from pathlib import Path

import torch

BEGIN, END = "<!-- speed: begin, written by run.sh -->", "<!-- speed: end -->"


def describe_machine() -> str:
    """What the numbers depend on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = dict(re.split(r"\s*: ?", line, maxsplit=1) for line in lines if ":" in line)
    flags = cpu.get("flags", "").split()
    extensions = ", ".join(
        f"{name} {'yes' if name in flags else 'no'}"
        for name in ("avx512f", "avx512_bf16", "amx_bf16")
    )
    return (
        f"{cpu.get('model name', platform.machine())}, {os.cpu_count()} cores "
        f"({extensions}), torch {torch.__version__}, Python {platform.python_version()}"
    )


def write_report(text: str, output: Path) -> None:
    """Put a report between the markers of a file, or into a new file."""
    before, after = split_at_report(output)
    output.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def split_at_report(output: Path) -> tuple[str, str]:
    """What stands before and after the report of a file.

    Raises:
        ValueError: the file has no markers.
    """
    if not output.exists():
        return "", "\n"
    before, begun, rest = output.read_text().partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (begun and ended):
        raise ValueError(
            f"{output}: lacks {BEGIN!r} or, after it, {END!r}, expected both around "
            "the tables; add them, or name a new file"
        )
    return before, after
