"""How much memory there is, and how much a process has taken."""

import contextlib
import os
import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_OF_MACHINE = Path("/proc/meminfo")
_OF_CONTAINER = Path("/sys/fs/cgroup")


def memory_for_process() -> int:
    """Bytes that this process may have in all, those that it has included."""
    if not _OF_MACHINE.exists():
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    free = _read_kilobytes(_OF_MACHINE, "MemAvailable")
    limit, taken = (_read_limit(name) for name in ("memory.max", "memory.current"))
    if limit is not None and taken is not None:
        # Files that were read count as taken, but go when memory is wanted.
        cached = _read_limit("memory.stat", "inactive_file") or 0
        free = min(free, limit - taken + cached)
    return max(0, free) + _read_kilobytes(_STATUS, "VmRSS")


def forget_peak() -> None:
    """Let `peak_memory` begin anew, where the system can."""
    # Elsewhere the peak is that of the process so far, which grows.
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory() -> int:
    """Bytes that this process has had at most, since `forget_peak`."""
    if _STATUS.exists():
        return _read_kilobytes(_STATUS, "VmHWM")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _read_kilobytes(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return 1024 * int(line.split()[1])
    return 0


def _read_limit(file: str, name: str | None = None) -> int | None:
    """A number of the container's, if it has a limit."""
    try:
        text = (_OF_CONTAINER / file).read_text()
    except OSError:
        return None
    if name is not None:
        text = dict(line.split(" ", 1) for line in text.splitlines()).get(name, "")
    return int(text) if text.strip().isdigit() else None
