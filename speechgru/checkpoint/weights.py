"""Weights that a stranger may have made: what they are, and whether they fit."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from speechgru.checkpoint.description import undescribed
from speechgru.interfaces import InputError

SPARE_BYTES = 1 << 20


def are_weights(value: Any) -> bool:
    """Whether something is a mapping of names to tensors."""
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(weight, Tensor)
        for name, weight in value.items()
    )


def check_weights(weights: Any, file_size: int) -> None:
    """See that all are tensors of finite numbers which the file really holds.

    Args:
        weights: of a checkpoint, by their names.
        file_size: bytes.

    Raises:
        InputError: something else, with its name.
    """
    if not isinstance(weights, Mapping):
        raise InputError(undescribed(f"its weights are a {type(weights).__name__}"))
    total = 0
    for name, weight in weights.items():
        if not isinstance(name, str) or not isinstance(weight, Tensor):
            kind = f"a {type(weight).__name__}, not a tensor"
            raise InputError(undescribed(f"the weight {name!r} is {kind}"))
        if weight.layout != torch.strided or weight.is_quantized or weight.is_meta:
            raise InputError(undescribed(f"the weight {name!r} is no plain tensor"))
        # A tensor can repeat one number without end; two names may share one.
        total += weight.nbytes
        if total > 2 * file_size + SPARE_BYTES:
            sizes = f"weights of {total} bytes in a file of {file_size}"
            raise InputError(undescribed(sizes))
        if weight.is_floating_point() and not weight.isfinite().all():
            raise InputError(
                f"the weight {name!r} holds numbers that are not finite, expected "
                "finite ones; take another checkpoint"
            )


def check_fit(expected: Mapping[str, Any], found: Mapping[str, Tensor]) -> None:
    """See that weights are of the kind of number that a model has.

    Names and shapes are left to `load_state_dict`, which copies whole numbers
    into fractions without a word.

    Raises:
        InputError: they are not, with the name.
    """
    for name, weight in found.items():
        model_weight = expected.get(name)
        if isinstance(model_weight, Tensor) and (
            model_weight.is_floating_point() != weight.is_floating_point()
            or model_weight.is_complex() != weight.is_complex()
        ):
            raise InputError(
                undescribed(
                    f"the weight {name!r} is {weight.dtype}, expected "
                    f"{model_weight.dtype}"
                )
            )
