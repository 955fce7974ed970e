"""Keeping the weights that were found, beside the language model."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speechgru.lm.weights import name_other, retire_outdated, write_weights

log = logging.getLogger(__name__)


def keep_weights(
    lm: str | Path,
    use: str,
    weights: Mapping[str, float],
    origin: Mapping[str, Any],
    model: str,
) -> None:
    """Write weights for a pair of models, and say what is kept beside them.

    Args:
        lm, use, weights, origin, model: see `write_weights`.
    """
    other = name_other(lm, use, model)
    written = write_weights(lm, use, weights, origin, model)
    print(f"weights: {written}")
    if other is not None:
        print(f"those that were tuned with {other} are kept there, for that checkpoint")


def set_outdated_aside(lm: str | Path, use: str) -> None:
    """Keep weights apart that were tuned for what the language model held before."""
    # Behind those of the decoder may lie others, by the name that it had.
    while (outdated := retire_outdated(lm, use)) is not None:
        log.warning(
            "%s has changed since it was tuned; the old weights are now %s",
            lm, outdated,
        )  # fmt: skip
