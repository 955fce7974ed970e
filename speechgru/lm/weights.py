"""How much a language model counts, kept beside it.

Weights belong to a pair: the language model and the acoustic model that they were
tuned with. The file holds those that were tuned last, and under `others` those of
other acoustic models.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speechgru.bounded import read_json
from speechgru.files import replace_file, to_json
from speechgru.interfaces import InputError
from speechgru.lm.binary import EXTENSION
from speechgru.records import get_number

LATER_WEIGHTS = {
    "confidence_bias": 0.0,
    "confidence_votes": 1.0,
    "confidence_sound": 0.0,
}
"""What older files do not hold."""

SEARCH_WEIGHTS = {
    "lm_weight": 0.5,
    "word_score": 0.0,
    "confidence_scale": 1.0,
    **LATER_WEIGHTS,
}
"""What a language model counts in a search if nobody has tuned it."""

RESCORE_WEIGHTS = {"rescore_weight": 0.5}
"""What one counts that rescores."""

MOST_WEIGHT = 1e6
"""Beyond it nothing but the language model would count, and scores overflow."""

RESCORE = "rescore"
"""What a language model is used for that rescores."""

FORMER_USES = {"flashlight": "beam"}
"""What decoders were called when older weights were written."""

LM_KEY, MODEL_KEY, OTHERS_KEY = "lm_sha256", "model_blake2b", "others"


def weights_path(lm: str | Path, use: str) -> Path:
    """The file beside a language model.

    Args:
        lm: file of the language model.
        use: the decoder that searches with it, or RESCORE.
    """
    lm = Path(lm)
    # The same model as .arpa and as .ngrams may lie in one folder.
    name = lm.name if lm.suffix == EXTENSION else lm.stem
    return lm.with_name(f"{name}.{use}.weights.json")


def _find_path(lm: str | Path, use: str) -> Path:
    """The file beside a language model, be it by a name that it had formerly."""
    lm = Path(lm)
    for each in filter(None, (use, FORMER_USES.get(use))):
        path = weights_path(lm, each)
        if path.is_file():
            return path
        former = lm.with_name(f"{lm.stem}.{each}.weights.json")
        if former != path and _is_of(former, lm):
            return former
    return weights_path(lm, use)


def _is_of(path: Path, lm: Path) -> bool:
    """Whether weights that two language models may have had are those of this one."""
    records = _read_records(path)
    if not records or not lm.with_suffix(".arpa").exists():
        return bool(records)
    return lm.is_file() and records[0].get(LM_KEY) == _digest(lm)


def write_weights(
    lm: str | Path,
    use: str,
    weights: Mapping[str, float],
    origin: Mapping[str, Any],
    model: str | None = None,
) -> Path:
    """Keep the weights for a language model, and how they were found.

    Those that were tuned with other acoustic models stay in the file.

    Args:
        lm, use: see `weights_path`.
        weights: that were found.
        origin: how they were found.
        model: digest of the acoustic model that they were tuned with, if it is known.
    """
    path = weights_path(lm, use)
    digest = _digest(lm)
    record = {**weights, LM_KEY: digest, MODEL_KEY: model, **origin}
    others = [
        other
        for other in _read_records(_find_path(lm, use))
        if other.get(MODEL_KEY) != model and other.get(LM_KEY) == digest
    ]
    if others:
        record[OTHERS_KEY] = others
    replace_file(path, to_json(record, indent=2))
    return path


def read_weights(
    lm: str | Path, use: str, defaults: Mapping[str, float], model: str | None = None
) -> dict[str, float]:
    """Read the weights for a language model, those that the defaults name.

    Args:
        lm, use: see `weights_path`.
        defaults: of weights that nobody has tuned.
        model: digest of the acoustic model; those that were tuned with it are
            taken, if there are some, else those that were tuned last.

    Raises:
        InputError: the file beside it is broken, or the language model has changed
            since it was tuned.
    """
    path = _find_path(lm, use)
    try:
        records = _read_records(path)
        if not records:
            return dict(defaults)
        own = None if model is None else find_own(lm, use, model)
        record = {**LATER_WEIGHTS, **(own or records[0])}
        weights = {name: _get_weight(record, name) for name in defaults}
        digest = record[LM_KEY]
    except (ValueError, TypeError, LookupError) as error:
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


def find_own(lm: str | Path, use: str, model: str) -> dict[str, Any] | None:
    """The weights that were tuned with an acoustic model, and how they were found."""
    records = _read_records(_find_path(lm, use))
    return next((each for each in records if each.get(MODEL_KEY) == model), None)


def name_other(lm: str | Path, use: str, model: str) -> str | None:
    """Whose weights an acoustic model takes that has none of its own.

    Returns:
        The checkpoint's path and what they were tuned on; None if there are no
        weights, or if it has its own.
    """
    records = _read_records(_find_path(lm, use))
    if not records or find_own(lm, use, model) is not None:
        return None
    checkpoint, corpus, split = (
        records[0].get(key) for key in ("checkpoint", "corpus", "split")
    )
    return f"{checkpoint} ({corpus} {split})"


def retire_outdated(lm: str | Path, use: str) -> Path | None:
    """Set a file aside that was tuned for what the language model held before.

    Returns:
        Where it is now; None if there is nothing to set aside.
    """
    path = _find_path(lm, use)
    records = _read_records(path)
    if not records or not Path(lm).is_file() or records[0].get(LM_KEY) == _digest(lm):
        return None
    return path.replace(path.with_name(f"{path.stem}.outdated.json"))


def _read_records(path: Path) -> list[dict[str, Any]]:
    """Those of the file, the last tuned first."""
    if not path.is_file():
        return []
    try:
        last = read_json(path)
        others = last.pop(OTHERS_KEY, [])
        records = [last, *others]
        if not all(isinstance(record, dict) for record in records):
            raise TypeError("a record is no object")
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: does not hold tuned weights ({error}); remove it, or make it "
            "again by speechgru tune"
        ) from error
    return records


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
