"""Averaging the weights of checkpoints of one architecture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from speechgru.checkpoint.storage import DESCRIPTION_KEY, MODEL_PREFIX, read_checkpoint
from speechgru.interfaces import InputError
from speechgru.progress import track

MUST_AGREE = ("model", "tokenizer")
"""Parts of a description: the weights of others do not mean the same."""


def average_checkpoints(paths: Sequence[str | Path]) -> dict[str, Any]:
    """Average the weights of checkpoints with equal shares.

    Args:
        paths: of one run, or of runs that began from the same weights; those of
            runs that began apart have nothing to do with each other.

    Returns:
        A slim checkpoint. It describes itself as the last of the paths, less
        its score on dev, and names them all. What is counted in integers, such
        as the steps of a running average, is the last one's.

    Raises:
        InputError: see `read_checkpoint`; or the models or their tokens differ.

    Source:
        arXiv:1706.03762, 6.1.
    """
    sums: dict[str, Tensor] = {}
    expected: dict[str, Any] = {}
    for path in track(paths, "average", "checkpoints"):
        checkpoint = read_checkpoint(path)
        weights = {
            name: value
            for name, value in checkpoint["state_dict"].items()
            if name.startswith(MODEL_PREFIX)
        }
        description = checkpoint[DESCRIPTION_KEY]
        expected = expected or description
        for part in MUST_AGREE:
            if description[part] != expected[part]:
                raise InputError(
                    f"{path}: its {part} is not that of {paths[0]} "
                    f"({_first_difference(expected[part], description[part])}); "
                    "average checkpoints of one run"
                )
        shapes = {name: value.shape for name, value in weights.items()}
        if sums and shapes != {name: value.shape for name, value in sums.items()}:
            raise InputError(
                f"{path}: its weights have other names or shapes than those of "
                f"{paths[0]}; average checkpoints of one run"
            )
        for name, value in weights.items():
            if value.is_floating_point():
                # In 64 bits, so that the order does not matter.
                sums[name] = sums.get(name, 0) + value.to(torch.float64)
            else:
                sums[name] = value
    means = {
        name: (sums[name] / len(paths)).to(value.dtype)
        if value.is_floating_point()
        else value
        for name, value in weights.items()
    }
    metadata = {
        key: value
        for key, value in description["metadata"].items()
        if not key.startswith("val_")
    }
    metadata["averaged"] = [str(path) for path in paths]
    return {"state_dict": means, DESCRIPTION_KEY: {**description, "metadata": metadata}}


def _first_difference(expected: Any, found: Any, name: str = "") -> str:
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in (*expected, *found):
            if expected.get(key) != found.get(key):
                inner = f"{name}.{key}" if name else str(key)
                return _first_difference(expected.get(key), found.get(key), inner)
    return f"{name} is {found!r}, expected {expected!r}"
