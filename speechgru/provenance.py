"""Which commit and which versions a result was made with."""

import subprocess
from pathlib import Path


def find_commit(*paths: str) -> str | None:
    """Name the checkout's commit; None where the package is no checkout.

    Args:
        paths: files, folders or globs below the checkout; the commit is
            marked with "-dirty" if any of them differs from it.
    """
    root = Path(__file__).parents[1]
    if not (root / ".git").exists():
        return None

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        return result.stdout.strip()

    try:
        commit = git("describe", "--always", "--abbrev=10")
        changes = git("status", "--porcelain", "--", *paths)
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{commit}-dirty" if changes else commit
