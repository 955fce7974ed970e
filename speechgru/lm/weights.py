"""How much a language model counts, kept beside it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speechgru.files import read_lines, replace_file, to_json
from speechgru.interfaces import InputError

SEARCH_WEIGHTS = {"lm_weight": 0.5, "word_score": 0.0, "confidence_scale": 1.0}
"""What a language model counts in a search if nobody has tuned it."""

RESCORE_WEIGHTS = {"rescore_weight": 0.5}
"""What one counts that rescores."""


def weights_path(lm: str | Path) -> Path:
    """The file beside a language model."""
    lm = Path(lm)
    return lm.with_name(f"{lm.stem}.weights.json")


def write_weights(
    lm: str | Path, weights: Mapping[str, float], origin: Mapping[str, Any]
) -> Path:
    """Keep the weights for a language model, and how they were found."""
    path = weights_path(lm)
    replace_file(path, to_json({**weights, **origin}, indent=2))
    return path


def read_weights(lm: str | Path, defaults: Mapping[str, float]) -> dict[str, float]:
    """Read the weights for a language model, those that the defaults name.

    Raises:
        InputError: the file beside it is broken.
    """
    path = weights_path(lm)
    if not path.is_file():
        return dict(defaults)
    try:
        record = json.loads("\n".join(read_lines(path, "tuned weights")))
        return {name: float(record[name]) for name in defaults}
    except (ValueError, TypeError, LookupError) as error:
        raise InputError(
            f"{path}: does not hold {', '.join(defaults)} ({error}); remove it, or "
            "make it again by speechgru tune"
        ) from error
