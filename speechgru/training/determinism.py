"""Sums that come in the same order every time."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def restoring_determinism() -> Iterator[None]:
    """Let a run ask torch for it without asking for the next run in this process."""
    asked = torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(asked, warn_only=warns)
