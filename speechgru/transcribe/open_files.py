"""How many files a process may hold open."""

import resource

from speechgru.interfaces import InputError

OTHERS = 128
"""Open files besides: of libraries, recordings, other processes."""


def allow_open_files(count: int) -> None:
    """Let this process hold so many files, as far as the system permits.

    Raises:
        InputError: it does not.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = count + OTHERS
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise InputError(
            f"transcripts go into {count} folders, each of which has a file that is "
            f"held open, and this process may open {hard} files, expected {needed}; "
            "name the folder above them instead, or raise the limit (ulimit -n)"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
