"""How much memory this process has, has had, and may still take."""

import contextlib
import os
import resource
import sys
from ctypes.util import find_library
from pathlib import Path

TCMALLOC = "libtcmalloc_minimal.so.4"
"""Of Debian's package libtcmalloc-minimal4, Fedora's gperftools-libs and others."""

_ALLOCATORS = ("tcmalloc", "jemalloc", "mimalloc")
_GROUPS = Path("/sys/fs/cgroup")


def free_memory() -> int | None:
    """Bytes that this process may still take; None where nobody says.

    The least of what the machine has, what the control groups of the process
    leave (of a container, a cluster's job), and its own limit (ulimit -v).
    """
    free = [_machine_leaves(), _limit_leaves(), *_groups_leave()]
    return min((some for some in free if some is not None), default=None)


def memory_for_process() -> int:
    """Bytes that this process may have in all, those that it has included."""
    free = free_memory()
    if free is None:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return free + (_own("VmRSS") or 0)


def ask_for_huge_pages() -> None:
    """Let torch take large blocks in pages of 2 MB, which Linux makes ready sooner.

    A step of training frees and takes hundreds of MB; with them it needs a tenth less
    time on a CPU. To be called before torch is imported.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


def suggest_allocator() -> str | None:
    """What to set before the process begins, so that its steps take less time.

    glibc gives back or scatters what a step frees, and the next one takes; other
    allocators keep it.

    Returns:
        As a shell takes it; None: there is another allocator, or no glibc.
    """
    maps = _read("/proc/self/maps")
    if "libc.so.6" not in maps or any(name in maps for name in _ALLOCATORS):
        return None
    return f"LD_PRELOAD={find_library('tcmalloc_minimal') or TCMALLOC}"


def forget_peak() -> None:
    """Let `peak_memory` begin anew, where the system can."""
    # Elsewhere the peak is that of the process so far, which grows.
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory() -> int:
    """Bytes that this process has had at most, since `forget_peak`."""
    peak = _own("VmHWM")
    if peak is not None:
        return peak
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest if sys.platform == "darwin" else 1024 * highest


def _own(name: str) -> int | None:
    return _find_kilobytes("/proc/self/status", name)


def _machine_leaves() -> int | None:
    return _find_kilobytes("/proc/meminfo", "MemAvailable")


def _find_kilobytes(path: str, name: str) -> int | None:
    """A number of a table of the system, in bytes; None: it is not in it."""
    for line in _read(path).splitlines():
        if line.startswith(f"{name}:"):
            return 1024 * int(line.split()[1])
    return None


def _limit_leaves() -> int | None:
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    pages = _read("/proc/self/statm").split()
    if limit == resource.RLIM_INFINITY or not pages:
        return None
    return max(0, limit - int(pages[0]) * os.sysconf("SC_PAGE_SIZE"))


def _groups_leave() -> list[int]:
    """Of each control group from the process's own to the root, versions 1 and 2."""
    left = []
    for line in _read("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        names: tuple[str, ...]
        if controllers == "":
            root, names = _GROUPS, ("memory.max", "memory.current", "inactive_file ")
        elif "memory" in controllers.split(","):
            root = _GROUPS / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
            names = (*names, "total_inactive_file ")
        else:
            continue
        # Inside a container the path may be the host's, and only the root be there.
        inner = root / path.lstrip("/")
        for folder in {root, inner, *inner.parents}:
            if folder.is_relative_to(root):
                left += _group_leaves(folder, *names)
    return left


def _group_leaves(folder: Path, limit: str, used: str, cached: str) -> list[int]:
    most, held = _read(folder / limit).strip(), _read(folder / used).strip()
    if not most.isdecimal() or not held.isdecimal():  # "max", or no such file
        return []
    stat = _read(folder / "memory.stat").splitlines()
    # Of files, and given back when memory is wanted.
    idle = sum(int(line.split()[1]) for line in stat if line.startswith(cached))
    return [max(0, int(most) - int(held) + idle)]


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text()
    except (OSError, ValueError):
        return ""
