"""A digest of what a checkpoint is: its weights, and what it says of them."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from speechgru.interfaces import InputError

DIGEST = "digest"
"""Key of the description."""


def digest_checkpoint(
    weights: Mapping[str, Tensor], description: Mapping[str, Any]
) -> str:
    """Digest weights and description, apart from the digest in it.

    It tells damage and mistakes, such as a description beside other weights. It
    does not tell a forger, who can make another digest: only a signature could.

    Returns:
        "blake2b:" and 32 hexadecimal digits, over the description as JSON with
        sorted keys, then over each weight in the order of their names: name,
        dtype, shape and bytes.

    Raises:
        InputError: the description is of somebody else's making.
    """
    digest = hashlib.blake2b(digest_size=16)
    described = {key: value for key, value in description.items() if key != DIGEST}
    try:
        plain = json.dumps(described, sort_keys=True, default=repr)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"its description is no JSON ({error}), expected what speechgru writes; "
            "copy the checkpoint again"
        ) from error
    digest.update(plain.encode())
    for name in sorted(weights):
        weight = weights[name].detach().cpu().contiguous()
        kind = f"{name}\0{weight.dtype}\0{tuple(weight.shape)}"
        digest.update(f"\0{kind}\0".encode("utf-8", "surrogatepass"))
        values: Any = weight.reshape(-1).view(torch.uint8).numpy()
        digest.update(values)
    return f"blake2b:{digest.hexdigest()}"


def check_digest(weights: Mapping[str, Tensor], description: Mapping[str, Any]) -> None:
    """Compare with the digest that was written; older checkpoints have none.

    Raises:
        InputError: it is another one.
    """
    expected = description.get(DIGEST)
    if expected is None:
        return
    found = digest_checkpoint(weights, description)
    if found != expected:
        raise InputError(
            f"its weights and description have the digest {found}, expected "
            f"{str(expected)[:80]!r} as it says itself; it is damaged or was altered: "
            "copy it again"
        )
