"""How much a language model counts, kept beside it."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speechgru.bounded import read_json
from speechgru.files import get_number, replace_file, to_json
from speechgru.interfaces import InputError

SEARCH_WEIGHTS = {"lm_weight": 0.5, "word_score": 0.0, "confidence_scale": 1.0}
"""What a language model counts in a search if nobody has tuned it."""

RESCORE_WEIGHTS = {"rescore_weight": 0.5}
"""What one counts that rescores."""

MOST_WEIGHT = 1e6
"""Beyond it nothing but the language model would count, and scores overflow."""

RESCORE = "rescore"
"""What a language model is used for that rescores."""


def weights_path(lm: str | Path, use: str) -> Path:
    """The file beside a language model.

    Args:
        lm: file of the language model.
        use: the decoder that searches with it, or RESCORE.
    """
    lm = Path(lm)
    return lm.with_name(f"{lm.stem}.{use}.weights.json")


def write_weights(
    lm: str | Path, use: str, weights: Mapping[str, float], origin: Mapping[str, Any]
) -> Path:
    """Keep the weights for a language model, and how they were found."""
    path = weights_path(lm, use)
    record = {**weights, "lm_sha256": _digest(lm), **origin}
    replace_file(path, to_json(record, indent=2))
    return path


def read_weights(
    lm: str | Path, use: str, defaults: Mapping[str, float]
) -> dict[str, float]:
    """Read the weights for a language model, those that the defaults name.

    Raises:
        InputError: the file beside it is broken, or the language model has changed
            since it was tuned.
    """
    path = weights_path(lm, use)
    if not path.exists():
        return dict(defaults)
    try:
        record = read_json(path)
        weights = {name: _get_weight(record, name) for name in defaults}
        digest = record["lm_sha256"]
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise InputError(
            f"{path}: does not hold {', '.join(defaults)} ({error}); remove it, or "
            "make it again by speechgru tune"
        ) from error
    if Path(lm).is_file() and _digest(lm) != digest:
        raise InputError(
            f"{path}: was tuned for another language model than {lm} holds now; tune "
            "again by speechgru tune, or remove it"
        )
    return weights


def _get_weight(record: Mapping[str, Any], name: str) -> float:
    weight = get_number(record, name, "a finite number")
    if abs(weight) > MOST_WEIGHT or (name == "confidence_scale" and weight <= 0):
        raise ValueError(f"{name} is {weight:g}")
    return weight


def _digest(lm: str | Path) -> str:
    digest = hashlib.sha256()
    with Path(lm).open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
